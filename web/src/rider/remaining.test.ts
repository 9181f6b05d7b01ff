import { expect, test } from "vitest";
import { remainingOf, secondsLeft } from "./remaining";

const corner = [[-34.9, -56.2], [-34.9, -56.19], [-34.89, -56.19]];
const east = 0.01 * 111_320 * Math.cos((34.9 * Math.PI) / 180);
const north = 0.01 * 111_320;

test("what remains is measured along the route, around its corners", () => {
  expect(remainingOf(corner, { lat: -34.9, lon: -56.2 }).metres).toBeCloseTo(east + north, 0);
  expect(remainingOf(corner, { lat: -34.9001, lon: -56.195 }).metres).toBeCloseTo(east / 2 + north, 0);
  expect(remainingOf(corner, { lat: -34.895, lon: -56.19 }).metres).toBeCloseTo(north / 2, 0);
});

test("a car beside the route, or without one, is off route", () => {
  expect(remainingOf(corner, { lat: -34.901, lon: -56.195 }).offRoute).toBeCloseTo(111, 0);
  expect(remainingOf([], { lat: -34.9, lon: -56.2 }).offRoute).toBe(Infinity);
});

test("the pace of the last ten seconds tells when the car arrives", () => {
  const samples = [{ metres: 5000, at: 0 }, { metres: 700, at: 20_000 }, { metres: 600, at: 25_000 }];

  expect(secondsLeft(samples)).toBe(30);
  expect(secondsLeft([])).toBeUndefined();
  expect(secondsLeft([{ metres: 600, at: 0 }])).toBeUndefined();
  expect(secondsLeft([{ metres: 600, at: 0 }, { metres: 601, at: 9000 }])).toBeUndefined();
});
