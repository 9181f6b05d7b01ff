import { Button, Group, Stack, Table, Text, Title } from "@mantine/core";
import { useCallback, useEffect, useId, useRef, useState } from "react";
import { admin, type ReaderAct } from "../api/client";
import { day } from "../api/format";
import type { OperationsAct, ReaderShard, ReaderShards as Listed } from "../api/types";
import { Loading } from "../ui/loading";
import { ProblemNote } from "../ui/problem-note";
import { Acts } from "./acts";
import { ActDialog, type Answered, type Asked } from "./act-dialog";
import { actsOn, actsOnAll, inTheWay, ofReader, readersOf, readerWords, shardWords, willHappen, wordOf, type NamedReader } from "./reader-words";
import { WideTable } from "./wide-table";
import classes from "./dead-letters.module.css";

const pollInterval = 3000; // ms: a person reads and decides
const proposedBack = 15 * 60_000; // ms

interface Question extends Asked {
  act: ReaderAct;
  reader: string;
  shard: ReaderShard | undefined; // undefined: all
}

/** The durable readers, shard by shard where one stands still, and what a person does with them. */
export function ReaderShards() {
  const [listed, setListed] = useState<Listed>();
  const [acts, setActs] = useState<OperationsAct[]>([]);
  const [error, setError] = useState<unknown>();
  const [question, setQuestion] = useState<Question>();
  const [acting, setActing] = useState(false);
  const [said, setSaid] = useState("");
  const [failure, setFailure] = useState<unknown>();
  const status = useRef<HTMLParagraphElement>(null);
  const asked = useRef(0);
  const actsTitle = useId();

  const look = useCallback(async () => {
    const mine = ++asked.current; // of two answers the later question's counts
    try {
      const [answer, did] = await Promise.all([admin.readers(), admin.acts()]);
      if (mine !== asked.current) return;
      setListed(answer);
      setActs(did.acts.filter((a) => ofReader(a.place)));
      setError(undefined);
    } catch (e) {
      if (mine === asked.current) setError(e);
    }
  }, []);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>, stopped = false;
    const poll = async () => {
      await look();
      // The next question waits for this answer: of a slow server there would never be one.
      if (!stopped) timer = setTimeout(() => void poll(), pollInterval);
    };
    void poll();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [look]);

  const perform = async ({ act, reader, shard }: Question, { why, since }: Answered) => {
    setActing(true);
    setSaid("Under way.");
    setFailure(undefined);
    // The button is perhaps about to be gone, and the focus with it: what comes of it is told here.
    status.current?.focus();

    try {
      const done = await admin.actOnReader(reader, act, {
        why,
        ...(shard ? { shards: [shard.shard] } : {}),
        ...(act === "seek" ? { to: since.toISOString() } : {}),
        ...(act === "park" || act === "skip" ? { record: shard?.failing_at ?? "parked" } : {}),
      });
      setSaid(`✓ ${reader}, ${wordOf(act, shard).toLowerCase()}: ${done.result ?? done.outcome}.`);
    } catch (e) {
      setSaid("");
      setFailure(e);
    }
    await look();
    setActing(false);
  };

  if (!listed) return error ? <ProblemNote error={error} retried /> : <Loading what="the readers" />;

  const ask = (act: ReaderAct, reader: string, shard?: ReaderShard) =>
    setQuestion({
      act, reader, shard, title: `${wordOf(act, shard)}: ${reader}${shard ? `, ${shard.shard}` : ""}`, action: wordOf(act, shard),
      children: willHappen(act, reader, shard), needsWhy: act === "park" || act === "skip",
      ...(act === "seek" ? { since: new Date(Date.now() - proposedBack) } : {}),
    });
  const standing = listed.shards.filter(inTheWay);

  return (
    <Stack gap="sm" aria-busy={acting}>
      {error !== undefined && <ProblemNote error={error} retried />}
      <Text size="sm" ref={status} tabIndex={-1} role="status" data-testid="readers-said">{said}</Text>
      <ProblemNote error={failure} />

      {listed.shards.length === 0 && <Text>No reader has begun yet. Those that keep what they read in the database, such as history and heatmap, would be here.</Text>}
      {readersOf(listed.shards).map((r) => <Reader key={r.name} reader={r} disabled={acting} onAsk={ask} />)}
      {standing.length > 0 && <Standing shards={standing} disabled={acting} onAsk={ask} />}
      {acts.length > 0 && (
        <section aria-labelledby={actsTitle}>
          <Title order={3} size="md" mt="sm" id={actsTitle}>What people did with the readers</Title>
          <Acts acts={acts} on="Shards" />
        </section>
      )}
      {question && <ActDialog {...question} onAct={(answer) => void perform(question, answer)} onClose={() => setQuestion(undefined)} />}
    </Stack>
  );
}

type Ask = (act: ReaderAct, reader: string, shard?: ReaderShard) => void;

/** A whole reader. */
function Reader({ reader, disabled, onAsk }: { reader: NamedReader; disabled: boolean; onAsk: Ask }) {
  return (
    <Group gap="sm" data-testid={`reader-group-${reader.name}`}>
      <Text size="sm"><b>{reader.name}</b>: {readerWords(reader)}</Text>
      {actsOnAll(reader).map((act) => (
        <Button key={act} size="xs" variant="default" disabled={disabled} aria-label={`${wordOf(act)} ${reader.name}`} aria-haspopup="dialog" data-testid={act} onClick={() => onAsk(act, reader.name)}>
          {wordOf(act)}…
        </Button>
      ))}
    </Group>
  );
}

const shardColumns = { Shard: "left", Act: "left", "How it is": "left", "Applied until": "left" } as const;

/** The shards that a person has something to see or to do at. */
function Standing({ shards, disabled, onAsk }: { shards: ReaderShard[]; disabled: boolean; onAsk: Ask }) {
  return (
    <WideTable label="Reader shards table" minWidth={700} columns={shardColumns}>
      {shards.map((s) => (
        <Table.Tr key={`${s.group} ${s.shard}`} data-testid="reader-shard" data-value={`${s.group} ${s.shard}`}>
          <Table.Td>{s.group}<Text size="xs" c="dimmed">{s.shard}</Text></Table.Td>
          <Table.Td>
            <Group gap="xs" className={classes.buttons}>
              {actsOn(s).map((act) => (
                <Button
                  key={act} size="xs" variant={act === "skip" ? "outline" : "default"} {...(act === "skip" ? { color: "fault" } : {})} disabled={disabled}
                  aria-label={`${wordOf(act, s)} ${s.group} ${s.shard}`} aria-haspopup="dialog" data-testid={act} onClick={() => onAsk(act, s.group, s)}
                >
                  {wordOf(act, s)}…
                </Button>
              ))}
            </Group>
          </Table.Td>
          <Table.Td className={classes.text}>{s.error !== undefined && <Text span inherit c="fault">✕ </Text>}{shardWords(s)}</Table.Td>
          <Table.Td>{day(s.applied_to)}</Table.Td>
        </Table.Tr>
      ))}
    </WideTable>
  );
}
