import { Text } from "@mantine/core";
import type { CSSProperties } from "react";
import { here, type TrueAt } from "../api/age";
import { hours, milliseconds, short, whole } from "../api/format";
import type { Ride, StreamTrace } from "../api/types";
import type { Poll } from "../api/use-poll";
import { partId } from "../console/part-id";
import { Since, Stale } from "../ui/stale";
import classes from "./rail.module.css";
import type { Driven } from "./use-driven";
import { hasEnded } from "./use-ride";

const consoleTab = "tandem-console";

/** When the point that is shown arrived on the stream, by this browser's clock. */
function pointAt({ data, askedAt }: Poll<StreamTrace>): number | undefined {
  return data && here(data.driver_point?.arrived_at, { serverNow: data.at, askedAt });
}

// After the ride its points stay what they are, however long ago that is.
const always = () => Date.now();

/** The stream's part: the driver's points add up, and every reader reads each. */
export function StreamRail({ ride, driven }: { ride: Ride; driven: Driven }) {
  const { points, trace } = driven;
  const ended = hasEnded(ride.state);
  if (!ride.driver_id || !ride.assigned_at) return <Text size="xs" c="dimmed">The stream's part begins when a driver has accepted the ride.</Text>;
  if (!points) {
    return <Text size="xs" c="dimmed">{trace.error ? "The readers do not answer. The page asks them again each second." : "Looking for the driver's points…"}</Text>;
  }

  const at: TrueAt = ended ? always : pointAt(trace);
  const point = ended ? undefined : trace.data?.driver_point;
  const shard = point?.shard;

  return (
    <>
      <div className={classes.points}>
        <a className={classes.line} href={`/admin#${shard ? partId("shard", shard) : partId("reader", "history")}`} target={consoleTab} aria-label={`${points.length} points on the stream, on the console`}>
          <span className={classes.ticks} style={{ "--n": Math.max(1, points.length) } as CSSProperties} data-empty={points.length === 0 || undefined} />
          <svg className={classes.arrow} width="26" height="12" viewBox="0 0 26 12" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" aria-hidden><path d="M1 6h23m-5-5 5 5-5 5" /></svg>
        </a>
        {!ended && <Readers readers={trace.data?.readers ?? []} at={at} />}
      </div>

      <Text size="xs" c="dimmed">
        <b className={classes.count} data-testid="trace-points" data-value={points.length}>{whole(points.length)} {points.length === 1 ? "point" : "points"}</b>
        {" "}since driver {short(ride.driver_id)} said yes.{!point && " None is gone because it was read."}
      </Text>
      {trace.data && point && (
        <Text size="xs" c="dimmed">
          The newest: <span data-testid="trace-shard">{point.shard.replace(/^shardId-0*(?=\d)/, "shard ")}</span>,{" "}
          <span data-testid="trace-sequence" data-value={point.sequence_number} title={point.sequence_number}>
            <Stale at={at} of={point.sequence_number}>{(s) => `sequence …${s.slice(-6)}`}</Stale>
          </span>
          , kept for another {hours(trace.data.retention_left_s)}. <Since at={at} />
        </Text>
      )}
    </>
  );
}

const readerNames = [["mapfeed", "map"], ["heatmap", "heatmap"], ["history", "history"]] as const;

function Readers({ readers, at }: { readers: StreamTrace["readers"]; at: TrueAt }) {
  return (
    <ul className={classes.readers} aria-label="Readers of the newest point">
      {readerNames.map(([reader, name]) => {
        const seen = readers.find((r) => r.reader === reader);

        return (
          <li key={reader}>
            <a className={classes.reader} href={`/admin#${partId("reader", reader)}`} target={consoleTab} data-unknown={!seen || undefined}>
              <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden>
                <circle cx="10" cy="10" r="8.5" />
                {seen && <path d="m6 10.4 2.8 2.9 5.2-6" />}
              </svg>
              <b>{name}</b>
              <span data-testid={`trace-${name}-ms`} data-value={seen?.after_ms}>
                <Stale at={at} of={seen?.after_ms}>{(ms) => `${milliseconds(ms)} later`}</Stale>
              </span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}
