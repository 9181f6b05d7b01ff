import { describe, expect, test } from "vitest";
import type { RideEvent } from "../api/types";
import { queueNote } from "./queue-note";
import { queueMessages, withKilled, type QueueStep } from "./queue-steps";

const noon = Date.parse("2026-11-26T12:00:00Z");
const at = (ms: number) => new Date(noon + ms).toISOString();

/** Events in the order in which they were written. */
const history = (...lines: [ms: number, attempt: number, kind: RideEvent["kind"], data?: Record<string, unknown>][]): RideEvent[] =>
  lines.map(([ms, attempt, kind, data = {}], i) => ({ seq: i + 1, ride_id: "r", kind, at: at(ms), by: "", attempt, data }));

const queued = { message_id: "m1", outbox_id: "o1", delay_s: 0 };
const received = (receives: number, pid: number, message_id = "m1", sent = 9) =>
  ({ message_id, receives, pid, sent_at: at(sent), visibility_s: 30 });

const names = (steps: QueueStep[] | undefined) => steps?.filter((s) => s.reached).map((s) => s.name);

test("a message was sent before it was received, whatever the relay notes first", () => {
  const [message] = queueMessages(history(
    [0, 1, "requested"], [14, 1, "received", received(1, 7)], [19, 1, "queued", queued], [20, 1, "offered"], [900, 1, "assigned"], [905, 1, "deleted", { message_id: "m1" }],
  ));

  expect(names(message?.steps)).toEqual(["201 Created", "outbox", "sent, message", "received, try 1, by pid", "offered", "accepted", "deleted"]);
  expect(message?.steps.map((s) => s.after)).toEqual([0, 0, 9, 14, 20, 900, 905]);
  expect(message?.steps.map((s) => s.id).filter(Boolean)).toEqual(["o1", "m1", "7"]);
  expect(message?.deleted).toBe(true);
});

test("where SQS's clock disagrees with the database's, what must be first is first", () => {
  const sent = (ms: number) => queueMessages(history([0, 1, "requested"], [14, 1, "received", received(1, 7, "m1", ms)]))[0]?.steps[2]?.after;

  expect([sent(-3), sent(9), sent(40)]).toEqual([0, 9, 14]);
});

test("when it was sent is not known before it is received", () => {
  const [message] = queueMessages(history([0, 1, "requested"], [19, 1, "queued", queued]));

  expect(message?.steps[2]).toMatchObject({ name: "sent, message", reached: true, id: "m1" });
  expect(message?.steps[2]?.after).toBeUndefined();
  expect(names(message?.steps)).toHaveLength(3);
  expect(message?.steps.map((s) => s.name).slice(3)).toEqual(["received", "offered", "accepted", "deleted"]);
});

describe("a worker that dies with the message", () => {
  const killed = history(
    [0, 1, "requested"], [12, 1, "queued", queued], [15, 1, "received", received(1, 7)], [20, 1, "offered"], [2000, 1, "assigned"],
    [30_400, 1, "received", received(2, 8)], [30_500, 1, "deleted", { message_id: "m1" }],
  );

  test("is seen: both pids, and the wait until the message showed again", () => {
    const [message] = queueMessages(killed);

    expect(message?.tries).toEqual([{ number: 1, pid: "7", fate: "died" }, { number: 2, pid: "8", wait: 30_385 }]);
    expect(message?.steps.find((s) => s.testid === "try-1-pid")).toMatchObject({ id: "7", fate: "died" });
    expect(message?.steps.find((s) => s.testid === "worker-pid")).toMatchObject({ id: "8", wait: 30_385 });
    expect(queueNote(message!)).toBe("Pid 7 was not heard of again: it died, or hung. Nobody kept the message hidden any more, " +
      "so SQS showed it again, 30.4\u00a0s after that try had begun, and pid 8 did the rest and deleted it.");
  });

  test("is not said to have died before the message shows again", () => {
    const [message] = queueMessages(killed.slice(0, 5));

    expect(message?.tries).toEqual([{ number: 1, pid: "7" }]);
    expect(queueNote(message!)).toContain("Pid 7 keeps the message hidden from the other workers, for 30 s at a time.");
  });

  test("is said to be killed at once where this page did it, and stays so", () => {
    const [before] = queueMessages(killed.slice(0, 5)).map((m) => withKilled(m, "7"));
    expect(before?.steps.find((s) => s.testid === "worker-pid")).toMatchObject({ id: "7", fate: "killed" });
    expect(queueNote(before!)).toMatch(/^Pid 7 was killed, so nobody keeps the message hidden any more\./);

    const [after] = queueMessages(killed).map((m) => withKilled(m, "7"));
    expect(after?.tries.map((t) => t.fate)).toEqual(["killed", undefined]);
    expect(queueNote(after!)).toMatch(/^Pid 7 was killed\. Nobody kept .* pid 8 did the rest and deleted it\.$/);
    expect(queueMessages(killed).map((m) => withKilled(m, "9"))).toEqual(queueMessages(killed));
  });

  test.each(["retried", "released", "lost", "repeats"])("is told from one that said how its try ended: %s", (outcome) => {
    const ended = history([0, 1, "requested"], [15, 1, "received", received(1, 7)], [100, 1, "try_ended", { message_id: "m1", receives: 1, outcome }], [40_000, 1, "received", received(2, 8)]);

    expect(queueMessages(ended)[0]?.tries[0]?.fate).toMatch(/^(failed|handed back|too slow|done, but not deleted)/);
  });

  test("is told from a copy that SQS delivers", () => {
    const copy = history([0, 1, "requested"], [15, 1, "received", received(1, 7)], [900, 1, "received", received(2, 8)]);

    expect(queueMessages(copy)[0]?.tries[0]?.fate).toBe("still at it: SQS delivered a copy");
  });
});

describe("a ride that is requeued", () => {
  const requeued = history(
    [0, 1, "requested"], [12, 1, "queued", queued], [15, 1, "received", received(1, 7)], [20, 1, "offered"], [900, 1, "refused"],
    [950, 1, "offered"], [15_950, 1, "offer_expired"], [15_960, 2, "requeued", { reason: "no driver is free", delay_s: 5 }],
    [15_970, 2, "queued", { message_id: "m2", outbox_id: "o2", delay_s: 5 }], [15_990, 2, "deleted", { message_id: "m1" }],
  );

  test("shows refusals, expiries and the requeue, each under its own message", () => {
    const [first, second] = queueMessages(requeued);

    expect(names(first?.steps)).toEqual(["201 Created", "outbox", "sent, message", "received, try 1, by pid", "offered", "refused", "offered", "offer expired", "deleted"]);
    expect(first?.deleted).toBe(true);
    expect(names(second?.steps)).toEqual(["requeued: no driver is free", "outbox", "sent, hidden for 5 s, message"]);
    expect(second?.deleted).toBe(false);
  });

  test("does not show the pid of the message before", () => {
    const [first, second] = queueMessages(requeued);

    expect(second?.tries).toEqual([]);
    expect(second?.steps.find((s) => s.testid === "worker-pid")).toEqual({ kind: "received", name: "received", testid: "worker-pid", reached: false });
    expect(first?.steps.every((s) => s.testid === undefined)).toBe(true);
  });

  test("has no offer to come on the message before", () => {
    const [first] = queueMessages(requeued.slice(0, -1));

    expect(first?.steps.filter((s) => !s.reached).map((s) => s.name)).toEqual(["deleted"]);
  });
});

test("a dead letter is the end of its way, with the reason", () => {
  const [message] = queueMessages(history([0, 1, "requested"], [15, 1, "received", received(5, 7)], [20, 1, "dead_lettered", { reason: "try 5 of 5" }]));

  expect(message?.steps.at(-1)).toMatchObject({ name: "dead letter: try 5 of 5", reached: true });
});

test("what happens to the ride after the delete is no step of the message", () => {
  const [message] = queueMessages(history(
    [0, 1, "requested"], [12, 1, "queued", queued], [15, 1, "received", received(1, 7)], [20, 1, "offered"], [900, 1, "assigned"],
    [905, 1, "deleted", { message_id: "m1" }], [5000, 1, "cancelled"],
  ));

  expect(names(message?.steps)?.at(-1)).toBe("deleted");
});

test("the delete of a message that nobody has told of is no step", () => {
  const [message] = queueMessages(history([0, 1, "requested"], [12, 1, "queued", queued], [15, 1, "deleted", { message_id: "m0" }]));

  expect(message?.deleted).toBe(false);
});

test("a try ends with the next of its own message, not of another", () => {
  const [message] = queueMessages(history(
    [0, 1, "requested"], [15, 1, "received", received(5, 7)], [20, 1, "dead_lettered"], [60_000, 1, "received", received(1, 8, "m1-again", 59_990)],
  ));

  expect(message?.tries).toEqual([{ number: 5, pid: "7" }, { number: 1, pid: "8" }]);
});

test("a message that a person sends back from the dead letters goes its way again", () => {
  const [message] = queueMessages(history(
    [0, 1, "requested"], [12, 1, "queued", queued], [15, 1, "received", received(5, 7)], [20, 1, "dead_lettered", { reason: "try 5 of 5" }],
    [60_000, 1, "received", received(1, 8, "m1-again", 59_990)], [60_010, 1, "offered"], [60_900, 1, "assigned"], [60_905, 1, "deleted", { message_id: "m1-again" }],
  ));

  expect(names(message?.steps)?.slice(4)).toEqual([
    "dead letter: try 5 of 5", "sent back, message", "received, try 1, by pid", "offered", "accepted", "deleted",
  ]);
  expect(message?.steps.filter((s) => s.name === "sent back, message")).toMatchObject([{ id: "m1-again", after: 59_990 }]);
  expect(message?.deleted).toBe(true);
});
