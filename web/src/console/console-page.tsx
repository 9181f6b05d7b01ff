import { Container, Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useRef, type ReactNode } from "react";
import { admin } from "../api/client";
import { time } from "../api/format";
import { usePoll } from "../api/use-poll";
import { Header, mainId } from "../ui/header";
import { Loading } from "../ui/loading";
import { ProblemNote } from "../ui/problem-note";
import { SignIn, useSession } from "../ui/sign-in";
import { useAge } from "../ui/stale";
import { useKeptFocus } from "../ui/use-kept-focus";
import { DeadLetters } from "./dead-letters";
import { heardOf } from "./heard";
import { useNamedPart } from "./part-id";
import { Autoscale, Outbox, Queues, Workers } from "./queue-side";
import { ReaderShards } from "./reader-shards";
import { Services } from "./services";
import { Readers, Shards } from "./stream-side";
import { useSeries } from "./use-series";
import type { Hue } from "../tokens";
import classes from "./console-page.module.css";

const pollInterval = 1000; // ms

/** What queue and stream do now, for the people who operate Tandem. */
export default function ConsolePage() {
  const session = useSession("admin");
  const main = useRef<HTMLDivElement>(null);
  const keepFocus = useKeptFocus(main);

  return (
    <>
      <Header heading="Queue and stream" onSignOut={session.signOut} />
      <Container ref={main} {...keepFocus} component="main" id={mainId} tabIndex={-1} size={1440} px={{ base: "md", md: "xl" }} py="lg">
        {session.subject ? (
          <Overview />
        ) : (
          <Paper maw={420} mx="auto" mt="xl" p="lg" shadow="sm">
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
  const { data, error, askedAt } = usePoll(admin.overview, pollInterval);
  const heard = heardOf(data, askedAt);
  const series = useSeries(heard);
  const age = useAge(heard && askedAt);
  if (!heard || !data) return error ? <ProblemNote error={error} retried /> : <Loading what="the overview" />;

  return (
    <Stack gap="lg">
      <div role="status">
        <p className="headline" data-testid="sentence" data-ok={data.ok && age === "fresh"}>
          {age === "fresh" ? data.sentence : "The console does not answer: what is so now is not known."}
        </p>
        <Text c="dimmed" mt={4}>
          {age === "fresh"
            ? `These are the numbers of ${time(askedAt)}. The page asks for new ones each second.`
            : `The numbers are of ${time(askedAt)}; then it said: ${data.sentence} The page asks again each second.`}
        </Text>
      </div>

      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl">
        <Stack gap="lg">
          <Section title="Queue" hue="queue" explanation="Each message is one task. One worker receives it, and deletes it when the task is done.">
            <Queues heard={heard} series={series} />
            <Outbox heard={heard} />
          </Section>
          <Section title="Workers" explanation="These processes compete for the messages of ride-requests.">
            <Workers heard={heard} />
            <Autoscale heard={heard} />
          </Section>
        </Stack>
        <Stack gap="lg">
          <Section title="Stream" hue="stream" explanation="The stream keeps every point, by default for a day. Each shard keeps its drivers' points in order.">
            <Shards heard={heard} />
          </Section>
          <Section title="Readers" explanation="Each reader reads every point at its own pace. A slow reader does not delay the others.">
            <Readers heard={heard} series={series} />
          </Section>
        </Stack>
      </SimpleGrid>

      <Section title="Dead letters" hue="queue" explanation="Workers set these messages aside. Nothing brings them back or deletes them until a person does.">
        <DeadLetters heard={heard} />
      </Section>
      <Section title="Durable readers" hue="stream" explanation="These readers keep in the database how far they are. A person pauses one, sends it back, or lets it pass a record that it cannot apply.">
        <ReaderShards />
      </Section>
      <Section title="Services" explanation="These are the processes that make up Tandem.">
        <Services heard={heard} />
      </Section>
      <NamedPart />
    </Stack>
  );
}

/** The row that the address names can be shown only once there are rows. */
function NamedPart() {
  useNamedPart();
  return null;
}

function Section({ title, hue, explanation, children }: { title: string; hue?: Hue; explanation: string; children: ReactNode }) {
  return (
    <section aria-label={title} className={classes.section}>
      <Title order={2} className={hue}>{title}</Title>
      <Text size="sm" c="dimmed" mb="sm">{explanation}</Text>
      {children}
    </section>
  );
}
