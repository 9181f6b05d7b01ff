import { describe, expect, test } from "vitest";
import type { ComparedTeam, Comparison } from "../api/types";
import { Answers, settling } from "./answers";
import { asideLeft, outOfDate, sameChecksum, sumsOf, total } from "./sums";

const names = ["map", "history", "heatmap", "newcomer"] as const;
type Team = Partial<ComparedTeam>;

/** Points 1 to n: that of number i is of car (i - 1) % cars. */
const rows = (from: number, to: number, cars = 2) => Array.from({ length: to - from + 1 }, (_, k) => [(from + k - 1) % cars, -34.9, -56.2 + (from + k) / 1000, null, 0]);

const team = (name: (typeof names)[number], t: Team = {}): ComparedTeam => ({
  name, joined_at: name === "newcomer" ? null : 0, generation: 1, count: 0, repeats: 0, last: 0, after: 0, got: [], ...t,
});

interface Told {
  session?: string;
  at?: number;
  sent?: number;
  points?: { after: number; rows: (number | null)[][] };
  queue?: Team[];
  stream?: Team[];
  topic?: number;
  more?: boolean;
  acts?: string[];
  cursor?: string;
  through?: number;
}

function answer({ session = "a", at = 0, sent = 0, points = { after: 0, rows: [] }, queue = [], stream = [], topic = 0, more = false, acts = [], cursor = "c", through = 0 }: Told): Comparison {
  const side = (all: Team[]) => names.map((name, i) => team(name, all[i]));
  return {
    state: "running", session, at, started_at: 0, viewers: 1, yours: true, region: "us-east-1", sent, cars: 2, acts, points, cursor, more,
    queue: { via: topic ? "topic" : "queue", after: topic, union: 0, overlap: 0, counted_at: 0, waiting: null, in_flight: null, teams: side(queue) },
    stream: { through, teams: side(stream) },
  };
}

/** Answers that were joined one after the other, the last one long enough after the others for all to count. */
function joinedOf(...told: Told[]): Answers {
  const a = new Answers();
  told.forEach((t, i) => expect(a.join(answer({ at: i, ...t }), i)).toBe(true));
  const [last] = told.slice(-1);
  const teams = (all: Team[] = []) => names.map((_, i) => ({ ...all[i], after: (all[i]?.after ?? 0) + (all[i]?.got?.length ?? 0), got: [] }));
  a.join(answer({ ...last, at: settling + told.length, points: { after: a.points.length, rows: [] }, queue: teams(last?.queue), stream: teams(last?.stream) }), 0);
  return a;
}

describe("answers", () => {
  test("go on where the last one ended", () => {
    const a = joinedOf(
      { sent: 2, points: { after: 0, rows: rows(1, 2) }, queue: [{ got: [2] }], stream: [{ got: [1, 2] }] },
      { sent: 4, points: { after: 2, rows: rows(3, 4) }, queue: [{ after: 1, got: [4] }], stream: [{ after: 2, got: [4, 3] }] },
    );
    expect(a.points.length).toBe(4);
    expect(a.tables.queue[0]?.got).toEqual([2, 4]);
    expect([a.tables.queue[0]?.through, a.tables.stream[0]?.through]).toEqual([0, 4]);
    expect([a.points.before, a.points.after]).toEqual([[0, 0, 1, 2], [3, 4, 0, 0]]);
  });

  test("count once what comes again, because an answer was lost on its way", () => {
    const a = joinedOf(
      { sent: 2, points: { after: 0, rows: rows(1, 2) }, queue: [{ got: [1] }] },
      { sent: 3, points: { after: 0, rows: rows(1, 3) }, queue: [{ after: 0, got: [1, 3] }] },
    );
    expect([a.points.length, a.tables.queue[0]?.got]).toEqual([3, [1, 3]]);
  });

  test("that leave something out are refused, and all is asked for anew", () => {
    const first: Told = { sent: 2, points: { after: 0, rows: rows(1, 2) }, queue: [{ got: [1] }], cursor: "c1" };
    for (const gap of [{ points: { after: 3, rows: rows(4, 4) } }, { points: { after: 2, rows: [] }, queue: [{ after: 2, got: [4] }] }, { points: { after: 2, rows: [] }, queue: [{ generation: 2, after: 1, got: [4] }] }]) {
      const a = new Answers();
      expect(a.join(answer(first), 0)).toBe(true);
      expect(a.cursor).toBe("c1");
      expect(a.join(answer({ sent: 4, ...gap }), 0)).toBe(false);
      expect([a.cursor, a.points.length]).toEqual(["", 0]);
      expect(a.join(answer({ sent: 4, points: { after: 0, rows: rows(1, 4) } }), 0)).toBe(true);
      expect(a.points.length).toBe(4);
    }
  });

  test("empty a table with its generation, and no other", () => {
    const a = joinedOf(
      { sent: 3, points: { after: 0, rows: rows(1, 3) }, stream: [{ got: [1, 2] }, {}, { got: [1, 2, 3] }] },
      { sent: 3, points: { after: 3, rows: [] }, stream: [{ after: 2, got: [3] }, {}, { generation: 2, after: 0, got: [1] }] },
    );
    expect([a.tables.stream[0]?.got, a.tables.stream[2]?.got]).toEqual([[1, 2, 3], [1]]);
  });

  test("of another session begin anew, also after one that has none", () => {
    const a = joinedOf({ sent: 2, points: { after: 0, rows: rows(1, 2) }, queue: [{ got: [1, 2] }] });
    expect(a.renewed).toBe(false);
    a.join({ ...answer({ session: "", at: 9000 }), state: "starting", queue: undefined, stream: undefined, points: undefined, session: undefined }, 0);
    expect(sumsOf(a)).toBeUndefined();
    expect(a.join(answer({ session: "b", at: 10_000, sent: 1, points: { after: 0, rows: rows(1, 1) } }), 0)).toBe(true);
    expect([a.renewed, a.points.length, a.tables.queue[0]?.got, a.settled]).toEqual([true, 1, [], 0]);

    // Who has asked for it need not be told.
    a.startedOver = true;
    for (const [session, renewed] of [["c", false], ["d", true]] as const) {
      a.join(answer({ session, at: 11_000 }), 0);
      expect(a.renewed).toBe(renewed);
    }
  });

  test("that were cut count only what has been read", () => {
    const a = new Answers();
    const cut: Told = { sent: 5000, more: true, points: { after: 0, rows: rows(1, 4000) }, stream: [{ got: rows(1, 4000).map((_, i) => i + 1) }] };
    a.join(answer(cut), 0);
    a.join(answer({ ...cut, at: settling, points: { after: 4000, rows: [] }, stream: [{ after: 4000, got: [] }] }), 0);
    expect([a.settled, sumsOf(a)?.stream[0]?.have]).toEqual([4000, 4000]);
    a.join(answer({ ...cut, at: settling, points: { after: 4000, rows: rows(4001, 5000) }, stream: [{ after: 4000, got: [] }] }), 0);
    expect([a.settled, sumsOf(a)?.stream[0]?.have], "a reader that is behind").toEqual([5000, 4000]);
  });

  test("time a step from the last answer that did not have it", () => {
    const a = new Answers();
    const points = { after: 0, rows: rows(1, 3) };
    const late = (at: number, acts: string[], after: number, got: number[]) =>
      a.join(answer({ at, acts, sent: 3, points: { ...points, after: at ? 3 : 0, rows: at ? [] : points.rows }, stream: [{}, {}, {}, { joined_at: acts.length ? 3 : null, after, got }] }), 0);
    late(0, [], 0, []);
    late(1000, [], 0, []);
    late(2000, ["late"], 0, [1, 2]);
    expect(a.took.late).toBeUndefined();
    late(3000, ["late"], 2, [3]);
    late(4000, ["late"], 3, []);
    expect(a.took.late).toBe(2000);
  });
});

describe("the sums", () => {
  const whole = [{ got: [1, 2, 3, 4] }, { got: [1, 2, 3, 4] }, { got: [1, 2, 3, 4] }];

  test("of the left are N, and each right has N", () => {
    const a = joinedOf({ sent: 4, points: { after: 0, rows: rows(1, 4) }, queue: [{ got: [1, 4] }, { got: [2] }, { got: [3] }], stream: whole });
    const s = sumsOf(a)!;
    expect([s.n, total(s.queue), s.union, s.twice]).toEqual([4, 4, 4, 0]);
    expect(s.stream.map((t) => t.have)).toEqual([4, 4, 4, 0]);
    expect([outOfDate(a, "queue", 0), outOfDate(a, "stream", 0)]).toEqual([{ cars: 2, missed: 1 }, { cars: 2, missed: 0 }]);
  });

  test("name what came twice, to the same team or to another", () => {
    const s = sumsOf(joinedOf({ sent: 4, points: { after: 0, rows: rows(1, 4) }, queue: [{ got: [1, 4], repeats: 1 }, { got: [2, 4] }, { got: [3] }] }))!;
    expect([total(s.queue), s.union, s.twice]).toEqual([5, 4, 2]);
  });

  test("say in words what the left's has too much, or too little", () => {
    const said = (...queue: Team[]) => asideLeft(sumsOf(joinedOf({ sent: 4, points: { after: 0, rows: rows(1, 4) }, queue }))!);
    expect(said({ got: [1, 4] }, { got: [2] }, { got: [3] })).toBe("none twice, none missing");
    expect(said({ got: [1, 4] }, { got: [2, 4] }, { got: [3] })).toBe("1 reached two teams: a duplicate");
    expect(said({ got: [1] }, {}, { got: [], lost: { before: 2, again: 0, checksum_before: "", checksum_again: "" } })).toBe("2 were in the lost table; 1 not received yet");
  });

  test("behind a topic count from there on, and nothing is a duplicate", () => {
    const s = sumsOf(joinedOf({ topic: 2, sent: 4, points: { after: 0, rows: rows(1, 4) }, queue: [{ got: [3, 4] }, { got: [3, 4] }, { got: [3, 4] }], stream: whole }))!;
    expect(s.queue.map((t) => [t.have, t.of])).toEqual([[2, 2], [2, 2], [2, 2], [0, 2]]);
    expect([s.twice, s.stream[0]?.of]).toEqual([0, 4]);
  });

  test("leave out what was sent too lately to have arrived", () => {
    const a = new Answers();
    a.join(answer({ at: 0, sent: 2, points: { after: 0, rows: rows(1, 2) } }), 0);
    a.join(answer({ at: 1000, sent: 4, points: { after: 2, rows: rows(3, 4) }, queue: [{ got: [4] }] }), 0);
    a.join(answer({ at: settling, sent: 4, points: { after: 4, rows: [] }, queue: [{ after: 1 }] }), 0);
    expect([a.settled, sumsOf(a)?.queue[0]?.have]).toEqual([2, 0]);
  });

  test("are not known to who comes late, until N of three seconds ago is", () => {
    const a = new Answers();
    const said = (at: number) => {
      a.join(answer({ at: 60_000 + at, sent: 4, points: { after: 0, rows: rows(1, 4) } }), 0);
      return sumsOf(a)?.n;
    };
    expect([said(0), said(1000), said(settling)]).toEqual([undefined, undefined, 4]);
  });

  test("see a reader that drops one point", () => {
    const a = joinedOf({ sent: 4, points: { after: 0, rows: rows(1, 4) }, stream: [{ got: [1, 2, 3] }, ...whole.slice(1)] });
    expect(sumsOf(a)?.stream[0]?.have).toBe(3);
    expect(outOfDate(a, "stream", 0)).toEqual({ cars: 2, missed: 1 });
  });

  test("know whether checksums are the same", () => {
    const with_ = (sums: (string | undefined)[], through = 4) => sameChecksum(joinedOf({ sent: 4, points: { after: 0, rows: rows(1, 4) }, through, stream: whole.map((t, i) => ({ ...t, checksum: sums[i] })) }));
    expect([with_(["x", "x", "x"]), with_(["x", "x", "y"]), with_(["x", "x", undefined]), with_(["x", "x", "x"], 0)]).toEqual([true, false, false, false]);
  });
});
