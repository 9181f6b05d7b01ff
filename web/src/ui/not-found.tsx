import { Anchor, Container, Stack, Text, Title } from "@mantine/core";
import { Header, mainId } from "./header";
import { links } from "./page-links";

/** What a browser gets at a path where there is no page. */
export function NotFound() {
  return (
    <>
      <Header />
      <Container component="main" id={mainId} tabIndex={-1} size="xs" py="xl">
        <Title order={1}>There is no page here</Title>
        <Text my="md">
          Nothing in Tandem has the address <Text span inherit fw={640} style={{ overflowWrap: "anywhere" }}>{location.pathname}</Text>. Check
          how it is spelled, or go to one of the pages that there are:
        </Text>
        <Stack gap="sm">
          {links.map(({ href, name, about }) => (
            <div key={href}>
              <Anchor href={href} className="target">{name}</Anchor>
              <Text size="sm" c="dimmed">{about}</Text>
            </div>
          ))}
        </Stack>
      </Container>
    </>
  );
}
