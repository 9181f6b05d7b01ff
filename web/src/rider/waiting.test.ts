import { describe, expect, test } from "vitest";
import type { RideEvent } from "../api/types";
import { etaOf, partDriven } from "./eta";
import { queueMessages } from "./queue-steps";
import { soFar, waitingOf, waitingWords } from "./waiting";

const noon = Date.parse("2026-11-26T12:00:00Z");
const ride = (...lines: [kind: RideEvent["kind"], data?: Record<string, unknown>, attempt?: number][]) =>
  queueMessages(lines.map(([kind, data = {}, attempt = 1], i) => ({ seq: i + 1, ride_id: "r", kind, at: new Date(noon + i * 1000).toISOString(), by: "", attempt, data })));
const received = (receives: number) => ({ message_id: "m1", receives, pid: 7, sent_at: new Date(noon).toISOString(), visibility_s: 1 });

describe("who waits is told", () => {
  test("how many are before, as far as the queue has said so", () => {
    const messages = ride(["requested"], ["queued", { message_id: "m1" }]);

    expect(waitingWords("requested", waitingOf(messages, 12), { state: "visible" })).toBe("About 12 requests before yours in the queue.");
    expect(waitingWords("requested", waitingOf(messages, 1), { state: "visible" })).toBe("About 1 request before yours in the queue.");
    expect(waitingWords("requested", waitingOf(messages, 0), { state: "visible" })).toBe("The request is the next in the queue.");
    expect(waitingWords("requested", waitingOf(messages, undefined), { state: undefined })).toBe("The request waits in the queue for a worker.");
  });

  test("nothing of the queue once a worker has the request", () => {
    const messages = ride(["requested"], ["received", received(1)]);

    expect(waitingOf(messages, 12).before).toBeUndefined();
    expect(waitingWords("requested", waitingOf(messages, 12), { state: "in_flight" })).toContain("A worker has the request");
  });

  test("who said no, in which try", () => {
    const messages = ride(["requested"], ["received", received(1)], ["offered"], ["refused"], ["received", received(2)], ["offered"]);

    expect(soFar(waitingOf(messages, undefined))).toBe("Try 2: a driver said no.");
    expect(soFar(waitingOf(ride(["requested"], ["offered"], ["refused"], ["offered"], ["refused"], ["offered"], ["offer_expired"]), undefined))).toBe("2 drivers said no, a driver did not answer.");
    expect(soFar(waitingOf(ride(["requested"]), undefined))).toBe("");
    expect(soFar(waitingOf(ride(["requested"], ["requeued", { reason: "no driver is free" }, 2]), undefined))).toBe("Nobody was free once.");
  });
});

test.each([
  [{ metres: 12, seconds: 1 }, { large: "Now", small: "12 m away" }],
  [{ metres: 640, seconds: undefined }, { large: "640 m", small: "away" }],
  [{ metres: 640, seconds: 32 }, { large: "30\u00a0s", small: expect.stringMatching(/^640 m away, here by \d\d:\d\d$/) }],
  [{ metres: 4200, seconds: 170 }, { large: "3\u00a0min", small: expect.stringMatching(/^4\.2 km away, here by \d\d:\d\d$/) }],
])("%o is said so", (remaining, said) => {
  expect(etaOf(remaining, noon)).toEqual(said);
});

test.each([12, 640])("of a car that is not heard from, %d m away, nobody knows when it arrives", (metres) => {
  expect(etaOf({ metres, seconds: 32 }, noon, true)).toEqual({ large: `${metres} m`, small: "away when it was last heard from" });
});

test("the part that is driven is that of the points, and of what remains", () => {
  const east = (metres: number) => ({ lat: 0, lon: metres / 111_320 });

  expect(partDriven([east(0), east(200), east(300)], 100)).toBeCloseTo(0.75, 5);
  expect(partDriven([east(7)], 100)).toBe(0);
  expect(partDriven([], 0)).toBe(1);
});
