import { Paper, Text } from "@mantine/core";
import { rider } from "../api/client";
import { hours, milliseconds, short } from "../api/format";
import type { StreamTrace as StreamView, Ride, RideEvent } from "../api/types";
import { usePoll } from "../api/use-poll";
import classes from "./hood.module.css";
import { queueSteps } from "./queue-steps";
import { ended } from "./use-ride";

/** Under the hood: what queue and stream do for this ride, as it happens. */
export function Hood({ ride, events }: { ride: Ride; events: RideEvent[] }) {
  const moving = ride.driver_id !== undefined && !ended(ride.state);
  const stream = usePoll(moving ? () => rider.hood(ride.id) : undefined, 1000);
  return (
    <Paper className={classes.hood} shadow="md" component="section" aria-label="Under the hood" data-testid="hood">
      <Text component="h2" className={classes.title}>Under the hood</Text>
      <QueueLine events={events} />
      <StreamLine view={stream.data} failed={stream.error !== undefined} waiting={ride.driver_id === undefined} />
    </Paper>
  );
}

function QueueLine({ events }: { events: RideEvent[] }) {
  const { steps, deleted } = queueSteps(events);
  return (
    <div className={classes.line} data-done={deleted || undefined}>
      <Text component="h3" className={classes.name}>Queue</Text>
      <ol className={classes.steps}>
        {steps.map((s) => (
          <li key={s.testid} data-reached={s.after !== undefined || undefined}>
            <span className={classes.what}>
              {s.name} {s.id && <code data-testid={s.testid} data-value={s.id} title={s.id}>{short(s.id)}</code>}
            </span>
            <span className={classes.when}>{s.after === undefined ? "…" : s.after === 0 ? "0 ms" : `+${milliseconds(s.after)}`}</span>
          </li>
        ))}
      </ol>
      <Text className={classes.rest}>{deleted ? "One worker did it; the message is gone." : "One worker gets it; another if that one fails."}</Text>
    </div>
  );
}

const readers = [["mapfeed", "map"], ["history", "history"], ["heatmap", "heatmap"]] as const;

function StreamLine({ view, failed, waiting }: { view: StreamView | undefined; failed: boolean; waiting: boolean }) {
  const point = view?.driver_point;
  return (
    <div className={classes.line}>
      <Text component="h3" className={classes.name}>Stream</Text>
      {point ? (
        <ol className={classes.steps}>
          <li data-reached>
            <span className={classes.what}>driver's last point, <code data-testid="hood-shard">{point.shard}</code></span>
            <span className={classes.when} data-testid="hood-sequence" data-value={point.sequence_number} title={point.sequence_number}>
              sequence …{point.sequence_number.slice(-10)}
            </span>
          </li>
          {readers.map(([reader, name]) => {
            const seen = view.readers.find((r) => r.reader === reader);
            return (
              <li key={reader} data-reached={seen ? true : undefined}>
                <span className={classes.what}>{name}</span>
                <span className={classes.when} data-testid={`hood-${name}-ms`}>{seen ? `+${milliseconds(seen.after_ms)}` : "…"}</span>
              </li>
            );
          })}
        </ol>
      ) : (
        <Text size="xs" c="dimmed">{waiting ? "Begins when a driver has accepted." : failed ? "Readers do not answer; asking again." : "Looking for the driver's last point…"}</Text>
      )}
      <Text className={classes.rest}>
        {point ? `Each reader has its own copy, still there for ${hours(view.retention_left_s)}.` : "Every reader gets every point."}
      </Text>
    </div>
  );
}
