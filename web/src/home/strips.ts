// What the two strips of the first page draw, decided from a summary alone.

import type { Summary } from "../api/types";

export type Shard = Summary["stream"]["shards"][number];
export type Reader = Summary["stream"]["readers"][number];
export type Worker = Summary["workers"][number];

/** How much of the stream a strip shows, in ms. */
export const span = 4000;

/** How far behind now the strip's right edge is, in ms: a summary a second, and its way here. */
export const delay = 1300;

/** A lane's ticks as one path: a line for each bin, at its time in px after `end`, and as high as it has points. */
export function lanePath(bins: number[], binMs: number, pxPerMs: number, y: number, highest: number): string {
  return bins
    .map((points, i) => {
      if (points === 0) return "";
      const x = (i - bins.length + 0.5) * binMs * pxPerMs;
      const half = Math.min(highest, 4 + 2 * points) / 2;
      return `M${x.toFixed(1)} ${(y - half).toFixed(1)}V${(y + half).toFixed(1)}`;
    })
    .join("");
}

/** "shard 3" of shardId-000000000003. */
export const shardName = (id: string): string => `shard ${Number(/\d+$/.exec(id)?.[0] ?? NaN)}`;

/** The page's word for a reader: mapfeed is what moves the map. */
export const readerName = (reader: string): string => (reader === "mapfeed" ? "map" : reader);

/** Readers whose places are so close that one line and one label stand for them. */
export interface Cursor {
  behind: number; // ms, of the one that is furthest
  text: string;
}

const atEdge = 150; // ms; nearer to now than this, a reader stands at the edge
const together = 1400; // ms; what is closer would write over the other's label

/** Where the readers' lines stand: at the edge, further back, or nobody knows where. */
export function cursors(readers: Reader[]): { edge: string[]; back: Cursor[]; unknown: string[] } {
  const known = readers.flatMap((r) => (r.behind_ms === null ? [] : [{ name: readerName(r.reader), behind: r.behind_ms }]));
  const slow = known.filter((r) => r.behind >= atEdge).sort((a, b) => a.behind - b.behind);

  const groups: (typeof slow)[] = [];
  for (const r of slow) {
    const last = groups.at(-1);
    if (last && r.behind - (last[0]?.behind ?? 0) < together) last.push(r);
    else groups.push([r]);
  }

  return {
    edge: known.filter((r) => r.behind < atEdge).map((r) => r.name),
    back: groups.map((group) => ({ behind: group.at(-1)?.behind ?? 0, text: labelOf(group) })),
    unknown: readers.filter((r) => r.behind_ms === null).map((r) => readerName(r.reader)),
  };
}

export const seconds = (ms: number): string => (ms < 9_950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`);

/** Where a label of a line at x has room: beside the line, or else from the left edge on. */
export function labelAt(text: string, x: number, left: number, right: number): { x: number; textAnchor: "start" | "end" } {
  const width = text.length * 6.4; // px, at the size of the strip's labels
  if (x - 7 - width >= left) return { x: x - 7, textAnchor: "end" };
  return { x: x + 7 + width <= right ? x + 7 : left, textAnchor: "start" };
}

function labelOf(group: { name: string; behind: number }[]): string {
  const [nearest, furthest] = [group[0]?.behind ?? 0, group.at(-1)?.behind ?? 0];

  // More than two names are wider than a small phone's strip; the list beside it has them all.
  if (group.length > 2) return `${group.length} readers ${furthest - nearest < 100 ? "" : `${seconds(nearest)} to `}${seconds(furthest)} behind`;
  if (furthest - nearest < 100) return `${group.map((r) => r.name).join(", ")} ${seconds(furthest)} behind`;
  return `${group.map((r) => `${r.name} ${seconds(r.behind)}`).join(", ")} behind`;
}

/** For how long the stream keeps a point, in words. */
export function keptFor(hours: number): string {
  if (hours === 24) return "a day";
  if (hours % 24 === 0) return `${hours / 24} days`;
  return hours === 1 ? "an hour" : `${hours} hours`;
}

/** How many points the bins hold that the strip shows, of each shard. */
export const pointsOf = (shard: Shard): number => shard.bins.reduce((a, b) => a + b, 0);

/** Until when the stream is known to have been read. A shard that has nothing says so seldom, so the newest counts. */
export const readThrough = (shards: Shard[]): number => Math.max(0, ...shards.map((s) => s.through));

/** A delete: when it was, by the server's clock, so that the same one is known again in the next summary. */
export interface Deleted {
  key: string;
  age: number; // ms
}

export function deletedOf(summary: Summary): Deleted[] {
  const gathered = Date.parse(summary.gathered_at);
  const seen = new Map<number, number>();

  return (summary.deleted_ms_ago ?? []).map((age) => {
    // Several in one millisecond, as a batch is deleted: each has a number.
    const at = gathered - age;
    const n = seen.get(at) ?? 0;
    seen.set(at, n + 1);
    return { key: `${at}.${n}`, age };
  });
}

/** At most so many dots travel at once; beyond that a number stands for the others. */
export const mostTravel = 12;

/** What has come to the workers since the last summary, and what of it is seen to travel. */
export interface Arriving {
  held: Record<string, number>; // of each worker, now
  until: Record<string, number>; // up to this place of a worker's box, those that have just come travel
  all: number;
}

export const nothingArrives: Arriving = { held: {}, until: {}, all: 0 };

/** Those of a worker that was not heard of before have not come just now. */
export function arriving(before: Arriving, workers: Worker[]): Arriving {
  const out: Arriving = { held: {}, until: {}, all: 0 };
  for (const { name, held } of workers) {
    if (held === null) continue;
    const had = before.held[name] ?? held;
    const came = Math.max(0, held - had);
    out.held[name] = held;
    out.until[name] = had + Math.min(came, Math.max(0, mostTravel - out.all));
    out.all += came;
  }
  return out;
}
