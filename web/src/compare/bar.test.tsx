import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { Bar } from "./column";
import type { Sum } from "./sums";

const sum = (have: number, of: number): Sum => ({ name: "map", title: "Map", joinedAt: 0, have, of, lost: 0 });
const bar = (of: Sum | undefined, side: "queue" | "stream" = "queue") => renderToStaticMarkup(<Bar sum={of} side={side} name="Map" />);
const share = (svg: string) => Number(/<rect width="([^"]*)"/.exec(svg)?.[1]);

test("a team's bar is as long as its share of the points that were sent", () => {
  expect(share(bar(sum(300, 900)))).toBeCloseTo(100 / 3);
  expect(share(bar(sum(899, 900), "stream"))).toBeLessThan(100); // one missed point is seen
  expect(share(bar(sum(900, 900), "stream"))).toBe(100);
  expect(share(bar(sum(0, 900)))).toBe(0);
});

test("of nothing sent it is empty, and never longer than its place", () => {
  expect(share(bar(sum(0, 0)))).toBe(0);
  expect(share(bar(sum(901, 900)))).toBe(100);
});

test("it says what it shows, in its side's colour", () => {
  expect(bar(sum(1200, 3600))).toContain('aria-label="Map: 1,200 of 3,600 points"');
  expect(bar(sum(1, 2), "queue")).toMatch(/<rect[^>]*class="[^"]*queue/);
  expect(bar(sum(1, 2), "stream")).toMatch(/<rect[^>]*class="[^"]*stream/);
});

test("a team that is not there has no share, not even an empty one", () => {
  expect(bar(undefined)).toContain("data-absent");
  expect(bar(undefined)).not.toContain("<rect");
});
