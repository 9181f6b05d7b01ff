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
import { useSeries } from "./use-series";

const pollInterval = 1000; // ms
const staleAfter = 5000; // ms

/** What queue and stream do now, for the people who operate Tandem. */
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
              One click makes you an admin of this demo. You can then watch every queue, shard, worker and reader.
            </SignIn>
          </Paper>
        )}
      </Container>
    </>
  );
}

function Overview() {
  const { data, error, at } = usePoll(admin.overview, pollInterval);
  const series = useSeries(data);
  if (!data) return error ? <ProblemNote error={error} /> : <Loader aria-label="Loading the overview" />;

  // The numbers stay when the console does not answer, and the colour warns of their age.
  const stale = error !== undefined && Date.now() - at > staleAfter;

  return (
    <Stack gap="lg">
      <Alert color={data.ok && !stale ? "harbour" : "yellow"} variant="light" p="md" role="status">
        <Text fz="lg" fw={600} data-testid="sentence">{data.sentence}</Text>
        <Text size="xs" c="dimmed">
          {error
            ? `The console has not answered since ${clock(new Date(at).toISOString())}. The page asks again each second. The numbers are from that time.`
            : `These are the numbers of ${clock(data.at)}. The page asks for new ones each second.`}
        </Text>
      </Alert>

      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Stack gap="lg">
          <Section title="Queue" explanation="Each message is one task. One worker receives it, and deletes it when the task is done.">
            <Queues queues={data.queues} series={series} />
          </Section>
          <Section title="Workers" explanation="These processes compete for the messages of ride-requests.">
            <Workers workers={data.workers} />
          </Section>
        </Stack>
        <Stack gap="lg">
          <Section title="Stream" explanation="The stream keeps every point, by default for a day. Each shard keeps its drivers' points in order.">
            <Shards shards={data.shards} />
          </Section>
          <Section title="Readers" explanation="Each reader reads every point at its own pace. A slow reader does not delay the others.">
            <Readers readers={data.readers} series={series} />
          </Section>
        </Stack>
      </SimpleGrid>

      <Section title="Services" explanation="These are the processes that make up Tandem.">
        <Services services={data.services} />
      </Section>
    </Stack>
  );
}

function Section({ title, explanation, children }: { title: string; explanation: string; children: ReactNode }) {
  return (
    <Paper component="section" withBorder p="md" aria-label={title}>
      <Title order={2} size="h4">{title}</Title>
      <Text size="sm" c="dimmed" mb="sm">{explanation}</Text>
      {children}
    </Paper>
  );
}
