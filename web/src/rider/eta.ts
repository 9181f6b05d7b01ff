import { distance } from "../api/format";
import { metresBetween } from "../map/geo";
import type { LatLon } from "../map/projection";

const near = 30; // metres within which the car has arrived

/** What is said of a car that drives: the largest words, and the line beneath. */
export interface Eta {
  large: string;
  small: string;
}

const hourAndMinute = (ms: number) => new Date(ms).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

/** When the car arrives. Where its pace is not known, or it is not heard from, nobody knows that: then how far it is. */
export function etaOf({ metres, seconds }: { metres: number; seconds: number | undefined }, now: number, stale = false): Eta {
  const far = distance(metres);
  if (stale) return { large: far, small: "away when it was last heard from" };
  if (metres < near) return { large: "Now", small: `${far} away` };
  if (seconds === undefined) return { large: far, small: "away" };

  // Steps of five seconds: a number that jumps each second claims too much.
  const large = seconds < 90 ? `${Math.max(5, Math.round(seconds / 5) * 5)}\u00a0s` : `${Math.round(seconds / 60)}\u00a0min`;

  return { large, small: `${far} away, here by ${hourAndMinute(now + seconds * 1000)}` };
}

/** How much of a way is behind the car, from 0 to 1, by the points that it has sent and what remains. */
export function partDriven(points: LatLon[], metresLeft: number): number {
  const driven = points.reduce((sum, p, i) => {
    const before = points[i - 1];
    return before ? sum + Math.hypot(...metresBetween(before, p)) : 0;
  }, 0);

  return driven + metresLeft > 0 ? driven / (driven + metresLeft) : 1;
}
