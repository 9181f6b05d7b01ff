import { whole } from "../api/format";
import { newcomer, sides, teamNames, type Answers, type Side } from "./answers";

/** One team's count, as of `n` of its sums. */
export interface Sum {
  name: keyof typeof teamNames;
  title: string;
  joinedAt: number | null; // null: it has not joined
  have: number; // distinct points
  of: number; // that were sent while this could have them
  lost: number; // what was in its table when that was emptied
}

export interface Sums {
  n: number; // points that both sides have been given
  after: number; // the queue's side counts from here on: there is a topic before it
  queue: Sum[];
  stream: Sum[];
  union: number; // points that any team of the queue's side has
  twice: number; // deliveries beyond the first, as long as the teams share the queue
}

/** What the page says of an answer, once there is a session and N is known. */
export function sumsOf(answers: Answers): Sums | undefined {
  const { latest, settled: n } = answers;
  if (!latest?.queue || !latest.stream || !answers.counts) return undefined;

  const after = latest.queue.after;
  const of = { queue: Math.max(0, n - after), stream: n };
  const teams = (side: Side): Sum[] =>
    (latest[side]?.teams ?? []).map((t, i) => ({
      name: t.name,
      title: teamNames[t.name],
      joinedAt: t.joined_at,
      have: (answers.tables[side][i]?.got ?? []).filter((g) => g <= n).length,
      of: of[side],
      lost: t.lost?.before ?? 0,
    }));

  const any = new Set(answers.tables.queue.flatMap((t) => t.got.filter((g) => g <= n)));
  const [queue, stream] = sides.map(teams) as [Sum[], Sum[]];
  const repeats = latest.queue.teams.reduce((sum, t) => sum + t.repeats, 0);
  return { n, after, queue, stream, union: any.size, twice: repeats + (latest.queue.via === "queue" ? total(queue) - any.size : 0) };
}

export const total = (teams: Sum[]): number => teams.reduce((sum, t) => sum + t.have, 0);
export const joined = (teams: Sum[]): Sum[] => teams.filter((t) => t.joinedAt !== null);

/** Cars whose newest point up to n a team does not have. */
export function outOfDate(answers: Answers, side: Side, team: number): { cars: number; missed: number } {
  const newest = answers.points.newest(answers.settled);
  const has = answers.tables[side][team]?.has;
  return { cars: newest.length, missed: newest.filter((n) => !has?.has(n)).length };
}

/** Whether all teams that read the stream have the same: their checksums are of the same numbers. */
export function sameChecksum(answers: Answers): boolean {
  const there = answers.latest?.stream?.teams.filter((t) => t.joined_at !== null) ?? [];
  return there.length > 1 && (answers.latest?.stream?.through ?? 0) > 0 && there.every((t) => t.checksum && t.checksum === there[0]?.checksum);
}

export const newTeam = (teams: Sum[]): Sum | undefined => teams[newcomer];

export const allWell = "none twice, none missing";

/** What the left's sum has too much, or too little. */
export function asideLeft(sums: Sums): string {
  const missing = sums.n - sums.union;
  const overlap = total(sums.queue) - sums.union;
  const gone = Math.min(sums.queue[2]?.lost ?? 0, missing);
  return [
    overlap > 0 && `${whole(overlap)} reached two teams: ${overlap === 1 ? "a duplicate" : "duplicates"}`,
    gone > 0 && `${whole(gone)} were in the lost table`,
    missing - gone > 0 && `${whole(missing - gone)} not received yet`,
  ].filter(Boolean).join("; ") || allWell;
}
