import { ActionIcon, Anchor, Group, Text, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./header.module.css";
import { PageLinks } from "./page-links";

interface Props {
  title?: string;
  onSignOut?: (() => void) | undefined; // absent: nobody has signed in
  children?: ReactNode; // instead of the links to the other pages
}

/** The bar on top of every page: the name, the links, and a switch between light and dark. */
export function Header({ title, onSignOut, children }: Props) {
  const isDark = useComputedColorScheme("light") === "dark";
  const { setColorScheme } = useMantineColorScheme();

  return (
    <header className={classes.bar}>
      <Group gap="xs" wrap="nowrap">
        <Anchor href="/" underline="never" c="inherit" className="target" aria-label="Tandem: go to the map">
          <Group gap={8} wrap="nowrap">
            <img src="/favicon.svg" alt="" width={28} height={28} />
            <Text className={classes.name} data-beside-title={title ? true : undefined} fw={700} fz="lg" lts="-0.02em">Tandem</Text>
          </Group>
        </Anchor>
        {title && <Text component="h1" c="dimmed" fz="md" fw={500} m={0}>{title}</Text>}
      </Group>

      <Group gap="xs" wrap="nowrap">
        {children ?? <PageLinks onSignOut={onSignOut} />}
        <ActionIcon
          variant="default" size="lg" aria-label={isDark ? "Switch to light colours" : "Switch to dark colours"}
          onClick={() => setColorScheme(isDark ? "light" : "dark")}
        >
          {isDark ? "☀" : "☾"}
        </ActionIcon>
      </Group>
    </header>
  );
}
