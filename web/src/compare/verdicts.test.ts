import { describe, expect, test } from "vitest";
import type { Comparison } from "../api/types";
import { Answers, settling } from "./answers";
import { steps, verdicts } from "./steps";
import { sumsOf } from "./sums";

type Teams = NonNullable<Comparison["queue"]>["teams"];
const names = ["map", "history", "heatmap", "newcomer"] as const;
const upTo = (n: number, from = 1) => Array.from({ length: n - from + 1 }, (_, i) => from + i);

interface Now {
  acts: string[];
  queue?: Partial<Teams[number]>[];
  stream?: Partial<Teams[number]>[];
  jobs?: Comparison["jobs"];
  after?: number;
  counted?: number | null; // messages in the queue; null: SQS has not said
}

/** What a page says of a session of ten points, once all of them count. */
function told(step: number, { acts, queue = [], stream = [], jobs, after = 0, counted = 2 }: Now) {
  const side = (all: Now["queue"] = []): Teams =>
    names.map((name, i) => ({ name, joined_at: name === "newcomer" ? null : 0, generation: 1, count: 0, repeats: 0, last: 0, after: 0, got: [], ...all[i] }));
  const a = new Answers();
  for (const at of [0, settling]) {
    const rows = at ? [] : upTo(10).map((n) => [n % 2, -34.9, -56.2, null, 0]);
    const teams = (all: Teams) => (at ? all.map((t) => ({ ...t, after: t.got.length, got: [] })) : all);
    a.join({
      state: "running", session: "a", at, started_at: 0, viewers: 1, yours: true, region: "", sent: 10, cars: 2, acts, points: { after: at ? 10 : 0, rows }, cursor: "", more: false, jobs,
      queue: { via: after ? "topic" : "queue", after, union: 0, overlap: 0, counted_at: counted === null ? 0 : at, waiting: counted, in_flight: counted === null ? null : 0, teams: teams(side(queue)) },
      stream: { through: 10, teams: teams(side(stream)) },
    }, at);
  }
  return verdicts(steps[step]!, a, sumsOf(a)!);
}

const late = (left: number[], right: number[]) => ({ acts: ["late"], queue: [{}, {}, {}, { joined_at: 6, got: left }], stream: [{}, {}, {}, { joined_at: 6, got: right }] });

describe("a team that joins late", () => {
  test("has only what came later on the left, and all on the right", () => {
    const v = told(0, late([8], upTo(10)));
    expect(v.queue.body).toContain("*1* points, all sent after it joined at 6");
    expect([v.stream.head, v.stream.body]).toEqual(["yes.", expect.stringContaining("read *10*")]);
  });

  test("reads the past until it has all of it: what it has is no proof", () => {
    const v = told(0, late([], [1, 2, 4, 5, 6, 7, 8, 9, 10]));
    expect([v.stream.head, v.stream.body]).toEqual(["it reads the past now.", "*2* of the 6 points from before it joined."]);
  });
});

describe("a table that is lost", () => {
  const lost = (again: number, after: string, counted: number | null = 0) => {
    const l = { before: 4, again, checksum_before: "aaaaaaaa11", checksum_again: after };
    return told(1, { acts: ["lose"], counted, queue: [{}, {}, { lost: { ...l, before: 3 } }], stream: [{}, {}, { lost: l }] });
  };

  test("is the same again on the right, by its checksum", () => {
    expect(lost(4, "aaaaaaaa11").stream).toEqual({ head: "yes.", body: "It read *4* points once more. Checksum before *aaaaaaaa*, after *aaaaaaaa*: the same bytes." });
  });
  test("is not called the same where it is not", () => expect(lost(4, "bbbbbbbb11").stream.head).toBe("yes, but not the same."));
  test("grows again until then", () => expect(lost(3, "c").stream.head).toBe("it grows again."));
  test("has nothing left on the left; and where SQS has not said so, neither does the page", () => {
    expect(lost(4, "a").queue.body).toContain("The heatmap had *3* points. *0* messages are in the queue now: of the old ones");
    expect(lost(4, "a", null).queue.body).toContain("SQS has not said lately");
  });
});

describe("jobs", () => {
  const done = (n: number) => upTo(n).map((tile) => ({ tile, worker: 1, tries: 1 }));
  const failed = { tile: 17, tries: 3, reason: "try 3 of 3: no cell" };

  test("are finished on the left, with one set aside, and stopped on the right", () => {
    const v = told(2, { acts: ["jobs"], jobs: { sent: 40, queue: { done: done(39), failed, passed: true }, stream: { done: done(16), failed: { ...failed, tries: 1, iterator_age_ms: 61_000 }, passed: false } } });
    expect([v.queue.head, v.queue.body]).toEqual([expect.stringContaining("wins"), expect.stringContaining("Job 17 failed 3 times and moved to the *dead letters*, where a person can look at it (no cell)")]);
    expect(v.stream.body).toContain("may not pass record 17, tried once. All after it waits, for *1 min 1 s* now (the *iterator age*)");
    expect(v.stream.act).toEqual({ act: "skip", name: "Skip record 17" });
  });

  test("have no winner before the last is done", () => {
    const v = told(2, { acts: ["jobs"], jobs: { sent: 40, queue: { done: done(38), failed, passed: true }, stream: { done: done(3), passed: false } } });
    expect([v.queue.head, v.stream.head, v.stream.act]).toEqual(["four workers are at it.", "one worker, in order.", undefined]);
  });

  test("go on once the record is skipped", () => {
    const v = told(2, { acts: ["jobs", "skip"], jobs: { sent: 40, queue: { done: done(39), failed, passed: true }, stream: { done: done(39), failed, passed: true, took_ms: 20_000 } } });
    expect([v.stream.head, v.stream.act]).toEqual(["went on once it was let past.", undefined]);
    expect(v.stream.body).toContain("*20 seconds*");
  });
});

describe("the topic", () => {
  const whole = { got: [7, 8, 9, 10] };
  const three = [whole, whole, whole];

  test("makes three teams whole, and offers the late one to join", () => {
    const v = told(3, { acts: ["sns"], after: 6, queue: three });
    expect([v.queue.head, v.queue.act?.act]).toEqual(["every team is whole now.", "sns_late"]);
    expect(v.queue.body).toContain("took over at 6, each of three teams has a queue of its own and all *4* points.");
  });
  test("is not called whole where a team lacks a point", () => {
    const v = told(3, { acts: ["sns"], after: 6, queue: [whole, { got: [7, 8, 10] }, whole] });
    expect([v.queue.head, v.queue.body]).toEqual(["a queue for each team.", expect.stringContaining("*4*, *3*, *4* of 4 points")]);
  });
  test("has no past for the late team", () => {
    const v = told(3, { acts: ["sns", "sns_late"], after: 6, queue: [...three, { joined_at: 8, got: [9, 10] }] });
    expect([v.queue.head, v.queue.act]).toEqual(["whole, but no past.", undefined]);
    expect(v.queue.body).toContain("The late team has *2*, all sent after it subscribed at 8");
  });
  test("says nothing of points that are not there yet", () => expect(told(3, { acts: ["sns"], after: 10 }).queue.head).toBe("a queue for each team."));
});
