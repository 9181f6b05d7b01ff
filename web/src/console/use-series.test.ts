import { expect, test } from "vitest";
import type { Overview } from "../api/types";
import { heardOf, readerAt } from "./heard";
import { valuesOf } from "./use-series";

const asked = 1_800_000_000_000;
const second = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString();

const queue = { name: "q", dead: false, heard_at: second(9), visible: 3, in_flight: 2, delayed: 0 };
const reader = { reader: "history", ok: true, heard_at: second(10), stream_at: second(10), behind_ms: 40, unread: 0, not_read: [] };
const overview = (queues: Overview["queues"], readers: Overview["readers"]): Overview => ({
  sentence: "", ok: true, at: second(10), queues, readers, workers: [], shards: [], rides: null, services: [], autoscale: null,
});

test("a line has a gap where its number is stale or not known", () => {
  const values = (o: Overview, now: number) => Object.fromEntries(valuesOf(heardOf(o, asked)!, now));
  const o = overview([queue, { name: "new", dead: false, heard_at: null }], [reader, { ...reader, reader: "frozen", heard_at: second(5), behind_ms: 9000 }]);

  expect(values(o, asked)).toEqual({ "queue q": 5, "queue new": null, "reader history": 40, "reader frozen": null });
  expect(values(o, asked + 2500)).toMatchObject({ "queue q": null, "reader history": 40 }); // heard a second before
  expect(values(o, asked + 4000)).toMatchObject({ "queue q": null, "reader history": null });
});

test("a reader's numbers are as old as the stream's last answer to it", () => {
  const at = (r: Overview["readers"][number]) => readerAt(heardOf(overview([], [r]), asked)!, r);

  expect(at(reader)).toBe(asked);
  expect(at({ ...reader, stream_at: second(3) })).toBe(asked - 7000);
  expect(at({ ...reader, heard_at: null, stream_at: null })).toBeUndefined();
});
