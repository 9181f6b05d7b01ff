import type { ReaderAct } from "../api/client";
import { moment, visible, whole } from "../api/format";
import type { ReaderShard } from "../api/types";

export interface NamedReader {
  name: string;
  shards: ReaderShard[];
}

/** The shards by their reader, as they are listed. */
export const readersOf = (shards: ReaderShard[]): NamedReader[] =>
  [...new Set(shards.map((s) => s.group))].map((name) => ({ name, shards: shards.filter((s) => s.group === name) }));

/** Whether a person has something to see or to do at a shard. */
export const inTheWay = (s: ReaderShard): boolean => s.state === "paused" || s.error !== undefined || s.parked > 0;

/** How a shard is, in words. */
export function shardWords(s: ReaderShard): string {
  const parked = s.parked > 0 ? [`${whole(s.parked)} ${s.parked === 1 ? "record was" : "records were"} parked, and nobody has skipped ${s.parked === 1 ? "it" : "them"}.`] : [];
  return [standing(s), ...parked].join(" ");
}

function standing(s: ReaderShard): string {
  if (s.state === "paused") return `A person paused it${s.paused_at ? ` on ${moment(s.paused_at)}` : ""}. Nobody reads it until it is resumed.`;
  if (s.error !== undefined && s.failing_at !== undefined) return `It stands still at record ${s.failing_at}: ${visible(s.error)}`;
  if (s.error !== undefined) return `It stands still, and which record is to blame is not known yet: ${visible(s.error)}`;
  if (s.state === "drained") return "It is closed, and read to its end.";
  if (s.state === "free") return "No process reads it at the moment.";
  return "It is read.";
}

/** A reader in one sentence. */
export function readerWords({ shards }: NamedReader): string {
  const open = shards.filter((s) => s.state !== "drained");
  const count = (state: ReaderShard["state"]) => open.filter((s) => s.state === state).length;
  const said = ([["reading", "read"], ["paused", "paused by a person"], ["failing", "standing still"], ["free", "read by no process at the moment"]] as const)
    .filter(([state]) => count(state) > 0)
    .map(([state, word]) => `${count(state)} ${word}`);
  if (open.length === 0) return "all its shards are read to their end.";
  return `${open.length} ${open.length === 1 ? "shard" : "shards"}: ${said.join(", ")}.`;
}

/** What a person can do with one shard. */
export function actsOn(s: ReaderShard): ReaderAct[] {
  const record: ReaderAct[] = s.failing_at !== undefined ? ["park", "skip"] : s.parked > 0 && s.error === undefined ? ["skip"] : [];
  if (s.state === "drained") return [...record, "seek"];
  return [s.state === "paused" ? "resume" : "pause", ...record, "seek"];
}

/** What a person can do with a whole reader. */
export function actsOnAll({ shards }: NamedReader): ReaderAct[] {
  const open = shards.filter((s) => s.state !== "drained");
  return [
    ...(open.some((s) => s.state !== "paused") ? ["pause" as const] : []),
    ...(open.some((s) => s.state === "paused") ? ["resume" as const] : []),
    "seek",
  ];
}

/** Whether an act was on a reader, by its place. */
export const ofReader = (place: string): boolean => place.startsWith("reader ");

const actWords: Record<ReaderAct, string> = { pause: "Pause", resume: "Resume", seek: "Send back", park: "Park record", skip: "Skip record" };

/** The word of an act on a shard: a skip may be of what was parked before. */
export const wordOf = (act: ReaderAct, s?: ReaderShard): string => (act === "skip" && s?.failing_at === undefined ? "Skip parked" : actWords[act]);

/** What an act does, before it is done. */
export function willHappen(act: ReaderAct, reader: string, s?: ReaderShard): string {
  const what = s ? `this shard for ${reader}` : `${reader}'s shards`;
  switch (act) {
    case "pause":
      return `Nobody reads ${what} until a person resumes. It falls behind; nothing is lost as long as the stream keeps it, by default for a day. The other readers go on.`;
    case "resume":
      return `${s ? "This shard is" : "All paused shards are"} read on from where ${s ? "it" : "they"} stood, and ${reader} catches up.`;
    case "seek":
      return `${reader} reads again what has arrived since a time${s ? " on this shard" : ""}. What it applied is not applied twice. It never goes forward: that would pass over records.`;
    case "park":
      return `Record ${s?.failing_at} is set aside for somebody to look at, and the shard goes on behind it. It comes back only when ${reader} is sent back.`;
    case "skip":
      return s?.failing_at
        ? `Record ${s.failing_at} is set aside, nobody needs to look at it any more, and the shard goes on behind it. It comes back only when ${reader} is sent back.`
        : "The records of this shard that were parked stay set aside, and nobody needs to look at them any more.";
  }
}
