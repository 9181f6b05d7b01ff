import { Paper, Text } from "@mantine/core";
import { lazy, Suspense } from "react";
import { rider } from "../api/client";
import { usePoll } from "../api/use-poll";
import type { Ride, RideEvent } from "../api/types";
import { CliCommands } from "../ui/cli-commands";
import { Sheet } from "../ui/sheet";
import { useAge } from "../ui/stale";
import { queueCommands, streamCommands } from "./commands";
import { queueNote } from "./queue-note";
import { QueueRail } from "./queue-rail";
import { queueMessages, withKilled, type QueueMessage } from "./queue-steps";
import { StreamRail } from "./stream-rail";
import classes from "./trace.module.css";
import type { Driven } from "./use-driven";
import type { QueueLook } from "./use-queue-look";
import { hasEnded } from "./use-ride";

// Few riders end a worker: who does waits for the button's code.
const KillWorker = lazy(() => import("./kill-worker"));

const workerInterval = 1000; // ms

interface Props {
  ride: Ride;
  at: number | undefined; // when the ride was as it is here
  events: RideEvent[];
  look: QueueLook;
  driven: Driven;
}

/** "Under the hood": one ride's two rails, the queue's message and the stream's points, as it happens. */
export default function Trace({ ride, at, events, look, driven }: Props) {
  const stale = useAge(at) === "stale" && !hasEnded(ride.state);
  const messages = queueMessages(events);
  const last = messages.at(-1);
  const inFlight = !hasEnded(ride.state) && last !== undefined && last.tries.length > 0 && !last.deleted;
  const { data: worker } = usePoll(inFlight ? () => rider.worker(ride.id) : undefined, workerInterval);
  const newest = last && worker?.killed ? withKilled(last, String(worker.killed.pid)) : last;
  const messageId = last?.steps.findLast((s) => s.kind === "sent" && s.reached)?.id;
  const address = driven.trace.data;
  const point = hasEnded(ride.state) ? undefined : address?.driver_point;
  const happenedAt = Date.parse(events.at(-1)?.at ?? "");

  return (
    <Paper className={classes.trace} shadow="md" component="section" aria-label="Under the hood" data-testid="trace" data-stale={stale || undefined}>
      <div className={classes.row}>
        <div className={classes.head}>
          <Text component="h3" className={`${classes.name} queue`}>Queue</Text>
          {messageId && look.aws && (
            <Sheet name="Same in AWS CLI" of="Queue">
              <CliCommands commands={queueCommands(messageId, look.known, look.aws)} at={look.aws} testid="queue-command" />
            </Sheet>
          )}
        </div>
        <div className={classes.body} data-of="queue">
          {newest && <QueueRail key={newest.attempt} message={newest} look={look} happenedAt={happenedAt} />}
          <div className={classes.foot}>
            <div>
              {newest && <Text className={classes.note} data-testid="trace-note">{queueNote(newest)}</Text>}
              <Earlier messages={messages.slice(0, -1)} />
            </div>
            {inFlight && worker && <Suspense><KillWorker ride={ride.id} worker={worker} /></Suspense>}
          </div>
        </div>
      </div>

      <div className={classes.row}>
        <div className={classes.head}>
          <Text component="h3" className={`${classes.name} stream`}>Stream</Text>
          {point && address && (
            <Sheet name="Same in AWS CLI" of="Stream">
              <CliCommands commands={streamCommands(point, address)} at={address} testid="stream-command" />
            </Sheet>
          )}
        </div>
        <div className={classes.body} data-of="stream">
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
