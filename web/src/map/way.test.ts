import { expect, test } from "vitest";
import { leftOf } from "./way";

// East along one street, then north along another, some 100 m a leg.
const [a, b, c] = [{ lat: -34.9, lon: -56.2 }, { lat: -34.9, lon: -56.199 }, { lat: -34.899, lon: -56.199 }];

test("what is left of a way begins at the car, and is what lies before it", () => {
  const onFirst = { lat: -34.9, lon: -56.1995 };
  expect(leftOf([a, b, c], onFirst)).toEqual([onFirst, b, c]);

  const onSecond = { lat: -34.8995, lon: -56.19902 }; // two metres beside the street
  expect(leftOf([a, b, c], onSecond)).toEqual([onSecond, c]);
});

test("a car that turns at a corner is on the next street, and one at the end has nothing left", () => {
  expect(leftOf([a, b, c], b)).toEqual([b, c]);
  expect(leftOf([a, b, c], c)).toEqual([c, c]);
});

test("a way of one place is a straight line from the car", () => {
  expect(leftOf([c], a)).toEqual([a, c]);
});
