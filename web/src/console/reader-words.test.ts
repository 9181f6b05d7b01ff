import { expect, test } from "vitest";
import type { ReaderShard } from "../api/types";
import { actsOn, actsOnAll, inTheWay, readersOf, readerWords, shardWords, willHappen } from "./reader-words";

const shard = (more: Partial<ReaderShard>): ReaderShard => ({ group: "history", shard: "s-1", state: "reading", applied_to: "2026-11-28T12:00:00Z", parked: 0, ...more });
const paused = shard({ state: "paused", paused_at: "2026-11-28T11:00:00Z" });
const failing = shard({ state: "failing", error: "no row\u202e for it", failing_at: "49/4" });

test("a shard that is read is in nobody's way", () => {
  expect(inTheWay(shard({}))).toBe(false);
  expect(shardWords(shard({}))).toBe("It is read.");
  expect(actsOn(shard({}))).toEqual(["pause", "seek"]);
});

test("a paused shard is said in words, and can be resumed", () => {
  expect(inTheWay(paused)).toBe(true);
  expect(shardWords(paused)).toMatch(/^A person paused it on .+\. Nobody reads it until it is resumed\.$/);
  expect(actsOn(paused)).toEqual(["resume", "seek"]);
});

test("a shard that stands at a record names it, and offers to set it aside", () => {
  expect(inTheWay(failing)).toBe(true);
  expect(shardWords(failing)).toBe("It stands still at record 49/4: no row⟨U+202E⟩ for it");
  expect(actsOn(failing)).toEqual(["pause", "park", "skip", "seek"]);
  expect(willHappen("park", "history", failing)).toContain("Record 49/4 is set aside");
});

test("which record is to blame is not guessed", () => {
  const unknown = shard({ state: "failing", error: "the disk is full" });
  expect(shardWords(unknown)).toContain("which record is to blame is not known yet: the disk is full");
  expect(actsOn(unknown)).toEqual(["pause", "seek"]);
  expect(actsOn({ ...unknown, parked: 2 })).toEqual(["pause", "seek"]);
});

test("parked records are told of until somebody skips them", () => {
  expect(shardWords(shard({ parked: 1 }))).toBe("It is read. 1 record was parked, and nobody has skipped it.");
  expect(actsOn(shard({ parked: 2 }))).toEqual(["pause", "skip", "seek"]);
  expect(willHappen("skip", "history", shard({ parked: 2 }))).toContain("were parked stay set aside");
});

test("a reader is told in one sentence, without the shards that are read to their end", () => {
  const [history, heatmap] = readersOf([paused, failing, shard({}), shard({ state: "drained" }), shard({ group: "heatmap", state: "drained" })]);
  expect(readerWords(history!)).toBe("3 shards: 1 read, 1 paused by a person, 1 standing still.");
  expect(actsOnAll(history!)).toEqual(["pause", "resume", "seek"]);
  expect(readerWords(heatmap!)).toBe("all its shards are read to their end.");
  expect(actsOnAll(heatmap!)).toEqual(["seek"]);
});
