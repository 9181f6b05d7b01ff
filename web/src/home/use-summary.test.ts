import { expect, test } from "vitest";
import { pauseAfter } from "./use-summary";

test("the next question comes when there is a new summary, and never at once", () => {
  expect(pauseAfter(0)).toBe(1000);
  expect(pauseAfter(700)).toBe(320);
  expect(pauseAfter(1000)).toBe(200);
  expect(pauseAfter(60_000)).toBe(200);
  expect(pauseAfter(-5000)).toBe(1000);
});
