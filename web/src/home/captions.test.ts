import { expect, test } from "vitest";
import type { ShownEvent } from "../api/socket";
import { captionOf, tellable } from "./captions";

const event = (kind: string, more: Partial<ShownEvent> = {}): ShownEvent => ({ kind: kind as ShownEvent["kind"], at: "2026-11-06T00:00:00Z", ...more });

test("each event says what it means, and which side it is of", () => {
  expect(captionOf(event("received", { pid: 4711, try: 1 }))).toEqual({ hue: "queue", text: "One worker, process 4711, takes it. No other one gets it." });
  expect(captionOf(event("received", { pid: 4712, try: 2 }))?.text).toBe("One worker, process 4712, takes it, which is try 2.");
  expect(captionOf(event("received"))?.text).toBe("One worker takes it. No other one gets it.");
  expect(captionOf(event("deleted"))?.hue).toBe("queue");
  expect(captionOf(event("picked_up"))?.hue).toBe("stream");
});

test("what is told in the one before is not told again", () => {
  const kinds = tellable(["requested", "queued", "received", "offered", "offered", "assigned", "deleted", "something_new"].map((k) => event(k))).map((e) => e.kind);
  expect(kinds).toEqual(["requested", "received", "offered", "assigned", "deleted"]);
});
