import { expect, test } from "vitest";
import { Course } from "./course";

const metre = 1 / 111_320;
const north100 = [[0, 0], [100 * metre, 0]] as [number, number][];

test("a course is driven at the street's speed, times the demo's", () => {
  const course = new Course({ points: north100, speeds_mps: [5] }, 4);
  const spot = course.drive(2);
  expect(spot.lat / metre).toBeCloseTo(40, 6);
  expect(spot).toMatchObject({ heading: 0, speed: 20 });
});

test("a second may cross corners, and the end is the end", () => {
  const course = new Course({ points: [...north100, [100 * metre, 100 * metre]], speeds_mps: [10, 20] }, 1);
  const spot = course.drive(12);
  expect(spot.heading).toBeCloseTo(90);
  expect(spot.lon / metre).toBeCloseTo(40, 3);
  expect(course.done).toBe(false);
  expect(course.drive(60)).toMatchObject({ lat: 100 * metre, lon: 100 * metre, speed: 0 });
  expect(course.done).toBe(true);
});

test("a way without length is done at once", () => {
  expect(new Course({ points: [[1, 2], [1, 2]], speeds_mps: [5] }, 4).done).toBe(true);
});
