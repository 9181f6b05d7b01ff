import { expect, test } from "vitest";
import type { ShownCar } from "../map/shown-cars";
import { choose, stays } from "./choose-car";

const size = { width: 1440, height: 640 };
const points = Array.from({ length: 9 }, (_, i) => ({ lat: 0, lon: 0, at: i * 1000 }));
const car = (vehicle: number, x: number, y: number, n = 9): ShownCar => ({ vehicle, x, y, heading: 0, points: points.slice(0, n) as ShownCar["points"] });

test("the car that is named has room for its words, and a tail", () => {
  expect(choose([], size)).toBeUndefined();
  expect(choose([car(1, 300, 400), car(2, 835, 460, 2), car(3, 835, 630), car(4, 900, 480), car(5, 1100, 300)], size)?.vehicle).toBe(4);
  expect(choose([car(1, 300, 400), car(2, 1439, 400), car(3, 900, 20)], size)).toBeUndefined();
});

test("a phone has no room for words at a car: what is told of a ride is read there", () => {
  const phone = { width: 390, height: 420 };
  for (let x = 0; x <= 390; x += 10) expect(stays(car(1, x, 200), phone)).toBe(false);
});

test("it is named until it has driven away or has no tail any more", () => {
  expect(stays(car(4, 1000, 400), size)).toBe(true);
  expect(stays(car(4, 600, 400), size)).toBe(false);
  expect(stays(car(4, 1000, 400, 1), size)).toBe(false);
});
