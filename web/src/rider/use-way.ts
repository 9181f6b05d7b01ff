import { useEffect, useState } from "react";
import { rider } from "../api/client";
import { distance } from "../api/format";
import type { Ride } from "../api/types";
import type { LatLon } from "../map/projection";
import { lineLeft, secondsLeft, type Seen } from "./way-left";

/** What is left of the driver's way, and how long it takes at the pace seen of late. */
export interface Way {
  metres: number;
  seconds: number | undefined;
}

const every = 1000;
const offLine = 150; // metres beside the line after which the car drives another way
const near = 30; // metres

export function wayWords({ metres, seconds }: Way): string {
  if (metres < near) return "Any moment now";
  if (seconds === undefined) return `${distance(metres)} away`;
  const time = seconds < 90 ? `${Math.max(5, Math.round(seconds / 5) * 5)} s` : `${Math.round(seconds / 60)} min`;
  return `${distance(metres)} away, about ${time}`;
}

/** Follows the car to the pick-up, then to the drop-off. */
export function useWay(ride: Ride | undefined, whereIs: () => LatLon | undefined): Way | undefined {
  const [way, setWay] = useState<Way>();
  const to = ride?.state === "assigned" ? ride.pickup : ride?.state === "picked_up" ? ride.dropoff : undefined;
  useEffect(() => {
    setWay(undefined);
    if (!to) return;
    let gone = false;
    let there = false; // once it is there, a car that parks is not on its way again
    let timer: ReturnType<typeof setTimeout>;
    let line: number[][] = [];
    let seen: Seen[] = [];
    const look = async () => {
      const car = whereIs();
      if (!car) return;
      if (lineLeft(line, car).off > offLine) {
        line = (await rider.route(car, to)).points;
        seen = [];
      }
      const { metres } = lineLeft(line, car);
      seen = [...seen, { metres, at: Date.now() }].slice(-20);
      there = metres < near;
      if (!gone) setWay({ metres, seconds: secondsLeft(seen) });
    };
    const next = () =>
      void look()
        .catch(() => undefined) // the next look asks again
        .finally(() => {
          if (!gone && !there) timer = setTimeout(next, every);
        });
    next();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
    // A place is made anew with each answer; what counts is where it is.
  }, [ride?.id, to?.lat, to?.lon, whereIs]);
  return way;
}
