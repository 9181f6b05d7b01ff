import { expect, test } from "vitest";
import type { Summary } from "../api/types";
import { arriving, cursors, deletedOf, keptFor, labelAt, lanePath, nothingArrives, seconds, shardName, type Worker } from "./strips";

test("a lane has a tick for each bin that has points, where its time is and as high as it has many", () => {
  expect(lanePath([0, 0, 0], 50, 0.1, 30, 12)).toBe("");
  expect(lanePath([1, 0, 3], 50, 0.1, 30, 12)).toBe("M-12.5 27.0V33.0M-2.5 25.0V35.0");
  expect(lanePath([100], 50, 0.1, 30, 12)).toBe("M-2.5 24.0V36.0"); // not into the lane beside it
});

const reader = (name: string, behind_ms: number | null) => ({ reader: name, heard_at: null, behind_ms });

test("readers stand as far from now as they are behind, each under its own name", () => {
  const all = [reader("mapfeed", 3), reader("nearby", 12), reader("history", 480), reader("heatmap", 510)];
  expect(cursors(all)).toEqual({ edge: ["map", "nearby"], back: [{ behind: 510, text: "history, heatmap 0.5 s behind" }], unknown: [] });

  // Two that are swapped would be seen.
  expect(cursors([reader("history", 449), reader("heatmap", 451)]).back).toEqual([{ behind: 451, text: "history, heatmap 0.5 s behind" }]);
  expect(cursors([reader("history", 480), reader("heatmap", 1200)]).back).toEqual([{ behind: 1200, text: "history 0.5 s, heatmap 1.2 s behind" }]);
  expect(cursors([reader("history", 12_300), reader("heatmap", 480)]).back).toEqual([
    { behind: 480, text: "heatmap 0.5 s behind" },
    { behind: 12_300, text: "history 12 s behind" },
  ]);
});

test("more than two readers in one place are counted, so that a small phone has room for the label", () => {
  const three = [reader("history", 480), reader("heatmap", 510), reader("speeding", 530)];
  expect(cursors(three).back).toEqual([{ behind: 530, text: "3 readers 0.5 s behind" }]);
  expect(cursors([...three, reader("erasing", 1700)]).back).toEqual([{ behind: 1700, text: "4 readers 0.5 s to 1.7 s behind" }]);

  // The lanes of a phone of 320 px are 260 px wide, and labelAt counts 6.4 px a letter.
  const text = cursors(Array.from({ length: 9 }, (_, i) => reader(`reader-${i}`, 12_000 + i * 150))).back[0]?.text ?? "";
  expect(text).toBe("9 readers 12 s to 13 s behind");
  for (const x of [0, 60, 130, 200, 260]) {
    const at = labelAt(text, x, 0, 260), width = text.length * 6.4;
    const from = at.textAnchor === "end" ? at.x - width : at.x;
    expect([from >= 0, from + width <= 260]).toEqual([true, true]);
  }
});

test("where a reader is nobody knows is not the edge", () => {
  expect(cursors([reader("history", null), reader("nearby", 0)])).toEqual({ edge: ["nearby"], back: [], unknown: ["history"] });
});

test("a delete keeps its name from one summary to the next", () => {
  const summary = (gathered: number, ages: number[] | null) => ({ gathered_at: new Date(gathered).toISOString(), deleted_ms_ago: ages }) as Summary;
  const before = deletedOf(summary(1_800_000_000_000, [100, 4000, 4000]));
  const after = deletedOf(summary(1_800_000_001_000, [50, 1100, 5000, 5000]));

  expect(new Set(before.map((d) => d.key)).size).toBe(3);
  expect(after.slice(1).map((d) => d.key)).toEqual(before.map((d) => d.key));
  expect(deletedOf(summary(0, null))).toEqual([]);
});

test.each([[24, "a day"], [48, "2 days"], [168, "7 days"], [1, "an hour"], [36, "36 hours"]])("%i hours are %s", (hours, words) => {
  expect(keptFor(hours)).toBe(words);
});

test("a shard has its number, and a time its unit", () => {
  expect(shardName("shardId-000000000012")).toBe("shard 12");
  expect([seconds(480), seconds(9_940), seconds(12_300)]).toEqual(["0.5 s", "9.9 s", "12 s"]);
});

test("twelve dots travel at most, and what is there when the page comes does not", () => {
  const worker = (name: string, held: number | null) => ({ name, held }) as Worker;
  const first = arriving(nothingArrives, [worker("a", 5), worker("b", null)]);
  expect(first).toEqual({ held: { a: 5 }, until: { a: 5 }, all: 0 });

  const next = arriving(first, [worker("a", 13), worker("b", 2), worker("c", 1)]);
  expect(next.all).toBe(8);
  expect(next.until).toEqual({ a: 13, b: 2, c: 1 });

  const many = arriving(next, [worker("a", 20), worker("b", 9), worker("c", 6)]);
  expect(many.all).toBe(19);
  expect(many.until).toEqual({ a: 20, b: 7, c: 1 });
  expect(arriving(many, [worker("a", 3)]).all).toBe(0);
});

test("a label has room on one side of its line, and is nowhere cut off by the page's edge", () => {
  const text = "history 0.5 s, heatmap 1.2 s behind"; // 224 px
  expect(labelAt(text, 300, 64, 1000)).toEqual({ x: 293, textAnchor: "end" });
  expect(labelAt(text, 100, 64, 1000)).toEqual({ x: 107, textAnchor: "start" });
  expect(labelAt(text, 160, 0, 228)).toEqual({ x: 0, textAnchor: "start" });
});
