import { Paper, Text } from "@mantine/core";
import { here, type TrueAt } from "../api/age";
import { rider } from "../api/client";
import { hours, milliseconds, short } from "../api/format";
import type { Ride, RideEvent, StreamTrace } from "../api/types";
import { usePoll, type Poll } from "../api/use-poll";
import { Stale } from "../ui/stale";
import { queueNote } from "./queue-note";
import { queueMessages, type QueueStep } from "./queue-steps";
import classes from "./trace.module.css";
import { hasEnded } from "./use-ride";

const pollInterval = 1000; // ms

/** "Under the hood": the trace of one ride through the queue and the stream, as it happens. */
export function Trace({ ride, events }: { ride: Ride; events: RideEvent[] }) {
  // Without a driver there are no points, and after the ride they are not the ride's.
  const driving = ride.driver_id !== undefined && !hasEnded(ride.state);
  const stream = usePoll(driving ? () => rider.streamTrace(ride.id) : undefined, pollInterval);

  return (
    <Paper className={classes.trace} shadow="md" component="section" aria-label="Under the hood" data-testid="trace">
      <Text component="h2" className={classes.title}>Under the hood</Text>
      <QueueLine events={events} />
      <StreamLine trace={stream.data} at={driving ? pointAt(stream) : always} failed={stream.error !== undefined} hasDriver={ride.driver_id !== undefined} />
    </Paper>
  );
}

// A ride that finds nobody for long has many messages: the last ones are shown.
const shownMessages = 3;

function QueueLine({ events }: { events: RideEvent[] }) {
  const messages = queueMessages(events);
  const earlier = messages.length - shownMessages;
  const newest = messages.at(-1);

  return (
    <div className={classes.line} data-done={newest?.deleted || undefined}>
      <Text component="h3" className={`${classes.name} queue`}>Queue</Text>

      <div className={classes.messages}>
        {earlier > 0 && <Text className={classes.note}>The ride had {earlier} other {earlier === 1 ? "message" : "messages"} before, each requeued and deleted.</Text>}

        {messages.slice(-shownMessages).map((m) => (
          <ol key={m.attempt} className={classes.steps} aria-label={`Message ${m.attempt} of this ride`}>
            {m.steps.map((s, i) => <Step key={i} step={s} />)}
          </ol>
        ))}
      </div>

      {newest && <Text className={classes.note} data-testid="trace-note">{queueNote(newest)}</Text>}
    </div>
  );
}

function Step({ step: s }: { step: QueueStep }) {
  const of = (what: string) => s.testid && `${s.testid}-${what}`;

  return (
    <li data-reached={s.reached || undefined}>
      <span className={classes.what}>
        {s.name} {s.id && <code data-testid={s.testid} data-value={s.id} title={s.id}>{short(s.id)}</code>}
        {s.fate && <strong className={classes.fate} data-testid={of("fate")}><span aria-hidden> ✕</span> {s.fate}</strong>}
      </span>
      <span className={classes.when} data-testid={of("after")} data-value={s.after}>
        {!s.reached ? "…" : s.after === undefined ? "waits for a worker" : s.after === 0 ? "0 ms" : `+${milliseconds(s.after)}`}
        {s.wait !== undefined && <span data-testid={of("wait")} data-value={s.wait}>, {milliseconds(s.wait)} after the try before</span>}
      </span>
    </li>
  );
}

/** When the point that is shown arrived on the stream, by this browser's clock. */
function pointAt({ data, askedAt }: Poll<StreamTrace>): number | undefined {
  return data && here(data.driver_point?.arrived_at, { serverNow: data.at, askedAt });
}

// After the ride its last point stays the last one, however long ago that is.
const always = () => Date.now();

interface StreamProps {
  trace: StreamTrace | undefined;
  at: TrueAt; // when the point arrived
  failed: boolean;
  hasDriver: boolean;
}

function StreamLine({ trace, at, failed, hasDriver }: StreamProps) {
  const point = trace?.driver_point;

  return (
    <div className={classes.line}>
      <Text component="h3" className={`${classes.name} stream`}>Stream</Text>

      {trace && point ? (
        <StreamSteps point={point} readers={trace.readers} at={at} />
      ) : (
        <Text size="xs" c="dimmed">
          {!hasDriver
            ? "The stream's part begins when a driver has accepted the ride."
            : failed
              ? "The readers do not answer. The page asks them again each second."
              : "Looking for the driver's last point…"}
        </Text>
      )}

      <Text className={classes.note}>
        {point
          ? `Each reader reads the point by itself. The stream keeps it for another ${hours(trace.retention_left_s)}.`
          : "Every reader reads every point."}
      </Text>
    </div>
  );
}

const readerNames = [["mapfeed", "map"], ["history", "history"], ["heatmap", "heatmap"]] as const;

interface StepsProps {
  point: NonNullable<StreamTrace["driver_point"]>;
  readers: StreamTrace["readers"];
  at: TrueAt;
}

function StreamSteps({ point, readers, at }: StepsProps) {
  return (
    <ol className={classes.steps}>
      <li data-reached>
        <span className={classes.what}>driver's last point, <code data-testid="trace-shard">{point.shard}</code></span>
        <span className={classes.when} data-testid="trace-sequence" data-value={point.sequence_number} title={point.sequence_number}>
          <Stale at={at} of={point.sequence_number} since>{(s) => `sequence …${s.slice(-10)}`}</Stale>
        </span>
      </li>

      {readerNames.map(([reader, name]) => {
        const seen = readers.find((r) => r.reader === reader);

        return (
          <li key={reader} data-reached={seen ? true : undefined}>
            <span className={classes.what}>{name}</span>
            <span className={classes.when} data-testid={`trace-${name}-ms`}>{seen ? <Stale at={at} of={seen.after_ms}>{(ms) => `+${milliseconds(ms)}`}</Stale> : "…"}</span>
          </li>
        );
      })}
    </ol>
  );
}
