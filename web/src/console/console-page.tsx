import { Alert, Container, Loader, Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { admin } from "../api/client";
import { clock } from "../api/format";
import { usePoll } from "../api/use-poll";
import { Header } from "../ui/header";
import { ProblemNote } from "../ui/problem-note";
import { SignIn, useSession } from "../ui/sign-in";
import { Queues, Workers } from "./queue-side";
import { Services } from "./services";
import { Readers, Shards } from "./stream-side";
import { useTrail } from "./use-trail";

const every = 1000;
const staleAfter = 5000;

/** What queue and stream do now, for who runs Tandem. */
export default function ConsolePage() {
  const session = useSession("admin");
  return (
    <>
      <Header title="Queue and stream" />
      <Container component="main" size="xl" py="lg">
        {session.subject ? (
          <Overview />
        ) : (
          <Paper maw={420} mx="auto" mt="xl" p="lg" shadow="sm" withBorder>
            <SignIn session={session} title="Queue and stream" action="Become an admin">
              One click makes you an admin of this demo: you see every queue, shard, worker and reader as it runs.
            </SignIn>
          </Paper>
        )}
      </Container>
    </>
  );
}

function Overview() {
  const { data, error, at } = usePoll(admin.overview, every);
  const trail = useTrail(data);
  if (!data) return error ? <ProblemNote error={error} /> : <Loader aria-label="Loading the overview" />;
  const stale = error !== undefined && Date.now() - at > staleAfter;
  return (
    <Stack gap="lg">
      <Alert color={data.ok && !stale ? "harbour" : "yellow"} variant="light" p="md" role="status">
        <Text fz="lg" fw={600} data-testid="sentence">{data.sentence}</Text>
        <Text size="xs" c="dimmed">
          {error ? `Not answering since ${clock(new Date(at).toISOString())}; asking again. What is below is as it was then.` : `As of ${clock(data.at)}, asked every second`}
        </Text>
      </Alert>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Stack gap="lg">
          <Section title="Queue" says="Each message is one ride to do. One worker gets it, and it is deleted when done.">
            <Queues queues={data.queues} trail={trail} />
          </Section>
          <Section title="Workers" says="Processes that compete for the ride requests.">
            <Workers workers={data.workers} />
          </Section>
        </Stack>
        <Stack gap="lg">
          <Section title="Stream" says="Every point stays for a day. Each shard keeps the order of its drivers.">
            <Shards shards={data.shards} />
          </Section>
          <Section title="Readers" says="Each gets every point, at its own pace, and holds up nobody.">
            <Readers readers={data.readers} trail={trail} />
          </Section>
        </Stack>
      </SimpleGrid>
      <Section title="Services" says="Every process of Tandem on this machine.">
        <Services services={data.services} />
      </Section>
    </Stack>
  );
}

function Section({ title, says, children }: { title: string; says: string; children: ReactNode }) {
  return (
    <Paper component="section" withBorder p="md" aria-label={title}>
      <Title order={2} size="h4">{title}</Title>
      <Text size="sm" c="dimmed" mb="sm">{says}</Text>
      {children}
    </Paper>
  );
}
