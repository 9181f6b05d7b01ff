import { describe, expect, test } from "vitest";
import type { RideEvent } from "../api/types";
import { queueMessages, withKilled } from "./queue-steps";
import { countedBranches, inWords, stagesOf } from "./rail";
import { withNewer } from "./use-driven";
import { lookOf } from "./use-queue-look";

const noon = Date.parse("2026-11-26T12:00:00Z");
const at = (ms: number) => new Date(noon + ms).toISOString();

type Line = [ms: number, kind: RideEvent["kind"], data?: Record<string, unknown>, attempt?: number];
const messages = (...lines: Line[]) =>
  queueMessages(lines.map(([ms, kind, data = {}, attempt = 1], i) => ({ seq: i + 1, ride_id: "r", kind, at: at(ms), by: "", attempt, data })));
const stages = (...lines: Line[]) => messages(...lines).map(stagesOf);

const queued = { message_id: "m1", outbox_id: "o1", delay_s: 0 };
const received = (receives: number, pid: number) => ({ message_id: "m1", receives, pid, worker: `dispatch-${pid}`, sent_at: at(9), visibility_s: 30 });
const begun: Parameters<typeof stages> = [[0, "requested"], [12, "queued", queued], [15, "received", received(1, 7)]];
const reached = (all: ReturnType<typeof stagesOf> | undefined) => all?.filter((s) => s.reached).map((s) => s.label);

test("a ride that is taken at once has five stages and then nothing left", () => {
  const [rail] = stages(...begun, [20, "offered"], [900, "assigned", { driver_id: "d-7" }], [905, "deleted", { message_id: "m1" }]);

  expect(reached(rail)).toEqual(["booked", "in the queue", "try 1, pid 7", "driver d-7 said yes", "deleted"]);
  expect(rail?.map((s) => s.after)).toEqual([0, 9, 15, 900, 905]);
  expect(rail?.at(-1)?.note).toBe("nothing left");
  expect(rail?.every((s) => s.branches.length === 0)).toBe(true);
});

test("what is to come is there, and is not reached", () => {
  const [rail] = stages(...begun, [20, "offered"]);

  expect(rail?.map((s) => [s.label, s.reached])).toEqual([
    ["booked", true], ["in the queue", true], ["try 1, pid 7", true], ["asking a driver", true], ["a driver says yes", false], ["deleted", false],
  ]);
});

describe("a branch", () => {
  test("is a fault where a worker died, and the stretch until the next try is hidden", () => {
    const [rail] = stages(...begun, [20, "offered"], [30_400, "received", received(2, 8)]);
    const [one, two] = rail?.filter((s) => s.kind === "received") ?? [];

    expect(one?.branches).toMatchObject([{ word: "died", fault: true }]);
    expect(two).toMatchObject({ label: "try 2, pid 8", hidden: 30_385, branches: [] });
  });

  test("is a fault where a worker was killed from this page", () => {
    const [message] = messages(...begun, [20, "offered"]);

    expect(stagesOf(withKilled(message!, "7")).flatMap((s) => s.branches)).toMatchObject([{ word: "killed", fault: true }]);
  });

  test("is no fault where a worker handed it back, or a driver said no", () => {
    const [rail] = stages(...begun, [20, "offered"], [100, "refused"], [110, "try_ended", { message_id: "m1", receives: 1, outcome: "released" }], [120, "received", received(2, 8)]);

    expect(rail?.flatMap((s) => s.branches)).toMatchObject([{ word: "handed back", fault: false }, { word: "said no", fault: false }]);
  });

  test("of several drivers in a row stands at one stage, each counted", () => {
    const [rail] = stages(...begun, [20, "offered"], [30, "refused"], [40, "offered"], [50, "refused"], [60, "offered"], [70, "offer_expired"], [80, "offered"]);
    const asked = rail?.find((s) => s.label === "3 drivers");

    expect(countedBranches(asked?.branches ?? []).map((b) => [b.word, b.times])).toEqual([["said no", 2], ["did not answer", 1]]);
    expect(rail?.at(-3)?.label).toBe("asking a driver");
  });

  test("of a dead letter says why", () => {
    const [rail] = stages(...begun, [20, "dead_lettered", { reason: "try 5 of 5" }]);

    expect(rail?.at(-1)).toMatchObject({ label: "set aside", branches: [{ word: "dead letter: try 5 of 5", fault: true }], href: "/admin#queue-ride-requests-dlq" });
  });
});

test("a ride that is sent again has another rail, which begins with why", () => {
  const [, second] = stages(...begun, [20, "requeued", { reason: "no driver is free", delay_s: 5 }, 2]);

  expect(second?.[0]).toMatchObject({ label: "sent again", note: "no driver is free" });
});

test("each stage leads to where the console has it", () => {
  const [rail] = stages(...begun, [20, "offered"], [900, "assigned"], [905, "deleted", { message_id: "m1" }]);

  expect(rail?.map((s) => s.href)).toEqual(["/admin#service-booking", "/admin#queue-ride-requests", "/admin#worker-dispatch-7", "/admin#service-booking", "/admin#queue-ride-requests"]);
  expect(inWords(rail ?? [])).toBe("booked; in the queue; try 1, pid 7; a driver said yes; deleted");
});

test("the deadline is the queue's, by this browser's clock", () => {
  const message = { id: "m1", state: "in_flight" as const, shows_at: 27_500, receives: 1, heard_at: 400 };
  const look = lookOf({ at: 500, counts: { visible: 3, in_flight: 1, delayed: 0, heard_at: 450 }, message, known: true, region: "us-east-1", endpoint: "http://127.0.0.1:1" }, 1_000_000);

  expect(look).toMatchObject({ waiting: 3, waitingAt: 999_950, state: "in_flight", showsAt: 1_027_000, heardAt: 999_900, known: true });
  expect(lookOf({ at: 500, counts: null, message: null, known: false, region: "us-east-1" }, 0)).toMatchObject({ waiting: undefined, showsAt: undefined, known: false });
});

test("each point counts once, however often it is answered", () => {
  const point = (seq: number) => ({ seq, lat: 0, lon: 0 });

  expect(withNewer([point(1), point(2)], [point(2), point(3)]).map((p) => p.seq)).toEqual([1, 2, 3]);
});
