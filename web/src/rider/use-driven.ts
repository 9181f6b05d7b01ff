import { useEffect, useState } from "react";
import { rider } from "../api/client";
import type { Ride, RidePoint, StreamTrace } from "../api/types";
import { usePoll, type Poll } from "../api/use-poll";
import { hasEnded } from "./use-ride";

const interval = 1000; // ms

export interface Driven {
  points: RidePoint[] | undefined; // since the driver's accept, as history has them; undefined: not known yet
  trace: Poll<StreamTrace>;
}

/** The ride's points so far, each fetched once, and where the newest lies on the stream. */
export function useDriven(ride: Ride | undefined): Driven {
  const [points, setPoints] = useState<RidePoint[]>();
  const [whole, setWhole] = useState(false);
  const driver = `${ride?.id} ${ride?.driver_id} ${ride?.assigned_at}`;

  // The points of another driver, or of another ride, are not this one's.
  useEffect(() => {
    setPoints(undefined);
    setWhole(false);
  }, [driver]);

  const accepted = ride?.driver_id !== undefined && ride.assigned_at !== undefined;
  const trace = usePoll(ride && accepted && !whole ? () => rider.streamTrace(ride.id, points?.at(-1)?.seq ?? 0) : undefined, interval);

  const answer = trace.data;
  useEffect(() => {
    if (!accepted || !answer?.points) return; // null: history does not answer, so nothing is known of more
    setPoints((old) => withNewer(old ?? [], answer.points ?? []));

    // What was asked for after the end and is empty is the whole.
    if (ride.ended_at && hasEnded(ride.state) && answer.points.length === 0 && answer.at - Date.parse(ride.ended_at) > 3 * interval) setWhole(true);
  }, [answer]);

  return { points: accepted ? points : undefined, trace };
}

/** Points come in order, and an answer may overlap with the one before. */
export function withNewer(old: RidePoint[], more: RidePoint[]): RidePoint[] {
  const last = old.at(-1)?.seq ?? 0;
  const newer = more.filter((p) => p.seq > last);
  return newer.length === 0 ? old : [...old, ...newer];
}
