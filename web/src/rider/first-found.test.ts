import { expect, test } from "vitest";
import { FirstFound } from "./first-found";

const [plaza, puerto] = [{ lat: -34.9, lon: -56.2, label: "Plaza" }, { lat: -34.9, lon: -56.21, label: "Puerto" }];

test("Enter after the answer takes its first place, although nothing was drawn since", () => {
  const f = new FirstFound();
  f.typed();
  expect(f.answered("p", [plaza, puerto])).toBeUndefined();
  expect(f.enter("p")).toBe(plaza);
});

test("Enter before the answer takes its first place when it comes, and only once", () => {
  const f = new FirstFound();
  expect(f.enter("p")).toBeUndefined();
  expect(f.answered("p", [plaza])).toBe(plaza);
  expect(f.answered("p", [puerto])).toBeUndefined();
});

test("an answer to other text is not taken, nor an Enter meant for other text", () => {
  const f = new FirstFound();
  expect(f.answered("pl", [plaza])).toBeUndefined();
  expect(f.enter("pu")).toBeUndefined();
  expect(f.answered("pl", [plaza])).toBeUndefined();
  f.typed();
  expect(f.answered("pu", [puerto])).toBeUndefined();
  expect(f.enter("pu")).toBe(puerto);
});

test("where nothing was found Enter takes nothing", () => {
  const f = new FirstFound();
  f.answered("xyz", []);
  expect(f.enter("xyz")).toBeUndefined();
});
