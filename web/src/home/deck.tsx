import { Table, Text } from "@mantine/core";
import { useElementSize, useMediaQuery } from "@mantine/hooks";
import type { ReactNode } from "react";
import { older } from "../api/age";
import { whole } from "../api/format";
import { CliCommands } from "../ui/cli-commands";
import { Sheet } from "../ui/sheet";
import { Since, Stale, useAge, useSeconds } from "../ui/stale";
import { queueCommands, streamCommands } from "./commands";
import classes from "./deck.module.css";
import { QueueStrip } from "./queue-strip";
import { StreamStrip } from "./stream-strip";
import { keptFor, pointsOf, readerName, readThrough, seconds, shardName } from "./strips";
import type { Heard } from "./use-summary";

/** What runs now: the queue on the left, the stream on the right. */
export function Deck({ heard, since }: { heard: Heard | undefined; since: number }) {
  const phone = useMediaQuery("(max-width: 48em)") ?? false;

  return (
    <section className={classes.deck} aria-label="What runs now">
      <QueueHalf heard={heard} since={since} phone={phone} />
      <StreamHalf heard={heard} since={since} phone={phone} />
    </section>
  );
}

interface HalfProps {
  heard: Heard | undefined;
  since: number; // when the page began to wait
  phone: boolean;
}

function QueueHalf({ heard, since, phone }: HalfProps) {
  const summary = heard?.summary;
  const at = heard?.at(summary?.queue.heard_at);

  return (
    <Half name="Queue" hue="queue" heard={heard} since={since} at={heard && at} phone={phone} says="One worker gets each booking. Done means deleted."
      picture={(width) => <QueueStrip heard={heard} width={width} phone={phone} />}
      commands={summary && <CliCommands commands={queueCommands(summary)} at={summary} testid="queue-command" />}
      list={summary && (
        <>
          <Rows head={["Worker", "Process id", "Holds"]} rows={summary.workers.map((w) => [w.name, w.pid ?? "?", w.held ?? "?"])} />
          <Text size="xs" c="dimmed" mt="xs">
            {summary.queue.waiting ?? "?"} wait. {summary.queue.in_flight ?? "?"} are taken and not done: in flight, as SQS calls it. {summary.deleted_ms_ago === null ? "Of deletes nothing is known." : `${summary.deleted_ms_ago.length} were deleted in the last 30 s.`}
            {" "}A booking for which no driver is free is deleted and sent again later, so there may be more of them than of bookings.
          </Text>
        </>
      )}
    >
      <span title="in flight, as SQS calls it"><b data-testid="in-flight"><Stale at={at} of={summary?.queue.in_flight}>{whole}</Stale></b> taken, not done</span>
      <span><b data-testid="per-minute"><Stale at={heard?.at(summary?.rides?.at)} of={summary?.rides?.per_minute}>{whole}</Stale></b> {phone ? "a minute" : "booked a minute"}</span>
      <span><b>nothing</b> kept</span>
    </Half>
  );
}

function StreamHalf({ heard, since, phone }: HalfProps) {
  const stream = heard?.summary.stream;
  const shards = stream?.shards ?? [];
  const at = shards.length > 0 ? heard?.at(readThrough(shards)) : undefined;

  return (
    <Half name="Stream" hue="stream" heard={heard} since={since} at={at} phone={phone} says="Every reader gets every point. Reading removes nothing."
      picture={(width) => <StreamStrip heard={heard} width={width} phone={phone} />}
      commands={heard && <CliCommands commands={streamCommands(heard.summary)} at={heard.summary} testid="stream-command" />}
      list={stream && (
        <>
          <Rows head={["Shard", "Points in 6 s"]} rows={shards.map((s) => [shardName(s.shard), whole(pointsOf(s))])} />
          <Rows head={["Reader", "Behind"]} rows={stream.readers.map((r) => [readerName(r.reader), r.behind_ms === null ? "?" : seconds(r.behind_ms)])} />
        </>
      )}
    >
      <span title="a point is where a car is">
        <b data-testid="points-per-second"><Stale at={at} of={stream?.points_per_s}>{(n) => whole(Math.round(n))}</Stale></b> points a second
        {" "}from <b data-testid="cars-sending"><Stale at={at} of={stream?.drivers}>{whole}</Stale></b> cars
      </span>
      <span><b>all</b> kept for <span data-testid="kept-for"><Stale at={heard?.gatheredAt} of={stream?.retention_h}>{keptFor}</Stale></span></span>
    </Half>
  );
}

interface Frame extends HalfProps {
  name: string;
  hue: "queue" | "stream";
  at: number | undefined; // when what the picture shows was true
  says: string;
  picture: (width: number) => ReactNode;
  list: ReactNode;
  commands: ReactNode; // the same in AWS's own tool; on a phone below the list
  children: ReactNode; // the sum
}

function Half({ name, hue, heard, since, at, phone, says, picture, list, commands, children }: Frame) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const age = useAge(heard ? older(at, heard.gatheredAt) : undefined);
  const waited = useSeconds(heard ? undefined : since) ?? 0;
  const told = age === "stale" ? <Since at={heard && older(at, heard.gatheredAt)} /> : undefined;

  return (
    <section className={classes.half} aria-label={name} data-age={age} data-testid={hue}>
      <header>
        <h2 className={hue}>{name}</h2>
        <p className={classes.says} data-testid="says">{says}</p>
        <p className={classes.told}>{told}</p>
      </header>
      <div ref={ref} className={classes.picture}>{width > 0 && picture(width)}</div>
      {heard || waited < 5 ? <p className={classes.sum}>{children}</p> : <p className={classes.sum} role="status">Tandem's console has not answered yet. The page asks again each second.</p>}
      <div className={classes.more}>
        {list && <Sheet name="As a list" of={name}>{told}{list}{phone && <><h3>Same in AWS CLI</h3>{commands}</>}</Sheet>}
        {commands && !phone && <Sheet name="Same in AWS CLI" of={name}>{commands}</Sheet>}
      </div>
    </section>
  );
}

function Rows({ head, rows }: { head: string[]; rows: (string | number)[][] }) {
  return (
    <Table>
      <Table.Thead><Table.Tr>{head.map((h) => <Table.Th key={h} scope="col">{h}</Table.Th>)}</Table.Tr></Table.Thead>
      <Table.Tbody>{rows.map((row) => <Table.Tr key={row[0]}>{row.map((cell, i) => <Table.Td key={head[i]}>{cell}</Table.Td>)}</Table.Tr>)}</Table.Tbody>
    </Table>
  );
}
