import { Paper, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Ride, RideEvent } from "../api/types";
import { useAge } from "../ui/stale";
import { queueNote } from "./queue-note";
import { QueueRail } from "./queue-rail";
import { queueMessages, withKilled, type QueueMessage } from "./queue-steps";
import { StreamRail } from "./stream-rail";
import classes from "./trace.module.css";
import type { Driven } from "./use-driven";
import type { QueueLook } from "./use-queue-look";
import { hasEnded } from "./use-ride";

interface Props {
  ride: Ride;
  at: number | undefined; // when the ride was as it is here
  events: RideEvent[];
  look: QueueLook;
  driven: Driven;
  act?: ReactNode; // what one can do to the message, beside its rail
  killed?: string | undefined; // the pid of a worker that was killed from this page
}

/** "Under the hood": one ride's two rails, the queue's message and the stream's points, as it happens. */
export default function Trace({ ride, at, events, look, driven, act, killed }: Props) {
  const stale = useAge(at) === "stale" && !hasEnded(ride.state);
  const messages = queueMessages(events);
  const last = messages.at(-1);
  const newest = last && killed ? withKilled(last, killed) : last;
  const happenedAt = Date.parse(events.at(-1)?.at ?? "");

  return (
    <Paper className={classes.trace} shadow="md" component="section" aria-label="Under the hood" data-testid="trace" data-stale={stale || undefined}>
      <div className={classes.row}>
        <Text component="h3" className={`${classes.name} queue`}>Queue</Text>
        <div className={classes.body}>
          <Earlier messages={messages.slice(0, -1)} />
          {newest && <QueueRail key={newest.attempt} message={newest} look={look} happenedAt={happenedAt} />}
          {newest && <Text className={classes.note} data-testid="trace-note">{queueNote(newest)}</Text>}
        </div>
        {act && <div className={classes.act}>{act}</div>}
      </div>

      <div className={classes.row}>
        <Text component="h3" className={`${classes.name} stream`}>Stream</Text>
        <div className={classes.body}>
          <StreamRail ride={ride} driven={driven} />
        </div>
      </div>
    </Paper>
  );
}

// A ride that finds nobody for long has many messages: the last ones are shown.
const shownMessages = 3;

/** The messages that the ride had before. Each was deleted when the next was sent. */
function Earlier({ messages }: { messages: QueueMessage[] }) {
  if (messages.length === 0) return null;
  const more = messages.length - shownMessages;

  return (
    <details className={classes.earlier}>
      <summary data-testid="earlier-messages">{messages.length === 1 ? "One message before, gone" : `${messages.length} messages before, each gone`}: the ride was sent again</summary>
      {more > 0 && <Text className={classes.note}>The last {shownMessages}:</Text>}
      {messages.slice(-shownMessages).map((m) => <QueueRail key={m.attempt} message={m} happenedAt={0} />)}
    </details>
  );
}
