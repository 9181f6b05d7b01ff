import { metresBetween } from "../map/geo";
import type { LatLon } from "../map/projection";

/**
 * How much of a route lies ahead of a car, and how far beside the route the car
 * is. The car is taken to be where the route comes closest to it.
 */
export function remainingOf(route: number[][], car: LatLon): { metres: number; offRoute: number } {
  const corners = route.map(([lat = 0, lon = 0]) => metresBetween(car, { lat, lon })); // the car is at 0, 0
  let afterLeg = 0; // metres from the end of the leg to the end of the route
  let closest = { metres: 0, offRoute: Infinity };

  // From the end to the start, so that what follows a leg is already known.
  for (let i = corners.length - 2; i >= 0; i--) {
    const [[startNorth, startEast], [endNorth, endEast]] = [corners[i]!, corners[i + 1]!];
    const [north, east] = [endNorth - startNorth, endEast - startEast];
    const length = Math.hypot(north, east);

    // The point of this leg that is closest to the car, as a part of the leg.
    const along = -(startNorth * north + startEast * east);
    const part = length === 0 ? 0 : Math.min(Math.max(along / length ** 2, 0), 1);
    const offRoute = Math.hypot(startNorth + part * north, startEast + part * east);
    if (offRoute < closest.offRoute) closest = { metres: afterLeg + (1 - part) * length, offRoute };

    afterLeg += length;
  }

  return closest;
}

export interface Sample {
  metres: number; // that remained
  at: number; // ms
}

const longest = 10_000; // ms of driving from which the pace is measured
const shortest = 2_500; // ms that are too few to measure a pace
const slowest = 1; // metres a second, below which a car stands

/** Seconds until nothing remains, at the pace of the last samples. It is undefined for a car that stands. */
export function secondsLeft(samples: Sample[]): number | undefined {
  const now = samples.at(-1);
  const before = now && samples.find((s) => now.at - s.at <= longest);
  if (!now || !before || now.at - before.at < shortest) return undefined;

  const pace = ((before.metres - now.metres) / (now.at - before.at)) * 1000;

  return pace > slowest ? now.metres / pace : undefined;
}
