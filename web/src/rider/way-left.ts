import type { LatLon } from "../map/projection";

const metresPerDegree = 111_320;

/** How much of a line lies ahead of a car, from where on the line it is closest. */
export function lineLeft(points: number[][], car: LatLon): { metres: number; off: number } {
  const shrink = Math.cos((car.lat * Math.PI) / 180);
  const flat = points.map(([lat = 0, lon = 0]) => [(lon - car.lon) * metresPerDegree * shrink, (lat - car.lat) * metresPerDegree] as const);
  let after = 0; // metres from the end of the leg to the end of the line
  let best = { metres: 0, off: Infinity };
  for (let i = flat.length - 2; i >= 0; i--) {
    const [[ax, ay], [bx, by]] = [flat[i]!, flat[i + 1]!];
    const [dx, dy] = [bx - ax, by - ay];
    const length = Math.hypot(dx, dy);
    const part = length === 0 ? 0 : Math.min(Math.max(-(ax * dx + ay * dy) / length ** 2, 0), 1);
    const off = Math.hypot(ax + part * dx, ay + part * dy);
    if (off < best.off) best = { metres: after + (1 - part) * length, off };
    after += length;
  }
  return best;
}

export interface Seen {
  metres: number; // left
  at: number; // ms
}

const longest = 10_000; // ms of driving that say how fast it goes
const shortest = 2_500; // ms below which they say too little
const slowest = 1; // m/s below which a pace says nothing

/** Seconds until nothing is left, at the pace of the last looks; undefined for a car that stands. */
export function secondsLeft(seen: Seen[]): number | undefined {
  const now = seen.at(-1);
  const before = now && seen.find((s) => now.at - s.at <= longest);
  if (!now || !before || now.at - before.at < shortest) return undefined;
  const pace = ((before.metres - now.metres) / (now.at - before.at)) * 1000;
  return pace > slowest ? now.metres / pace : undefined;
}
