import { expect, test } from "vitest";
import type { Overview } from "../api/types";
import { heardOf } from "./heard";
import { countsOf } from "./use-dead-letters";

const queue = { name: "q", dead: false, heard_at: null, visible: 3, in_flight: 2, delayed: 0 };
const of = (setAside: number | null) => countsOf(heardOf({
  sentence: "", ok: true, at: "2026-01-01T00:00:00Z", workers: [], shards: [], readers: [], services: [], autoscale: null,
  queues: [queue, { ...queue, name: "q-dlq", dead: true }, { name: "r-dlq", dead: true, heard_at: null }],
  rides: { outbox_set_aside: setAside } as Overview["rides"],
}, 0)!);

test("the dead letters are asked for again when one comes to a queue or to the outbox", () => {
  expect(of(1)).toBe("5 ? 1");
  expect(of(2)).not.toBe(of(1));
  expect(of(null)).toBe("5 ? ?");
});
