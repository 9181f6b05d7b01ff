import { expect, test } from "vitest";
import { Course } from "./course";

const metre = 1 / 111_320;
const north100 = [[0, 0], [100 * metre, 0]] as [number, number][];

test("a course is driven at the street's speed, times the speed-up", () => {
  const course = new Course({ points: north100, speeds_mps: [5] }, 4);

  const position = course.drive(2);

  expect(position.lat / metre).toBeCloseTo(40, 6);
  expect(position).toMatchObject({ heading: 0, speed: 20 });
});

test("a drive may pass several legs, and stops at the end", () => {
  const course = new Course({ points: [...north100, [100 * metre, 100 * metre]], speeds_mps: [10, 20] }, 1);

  const position = course.drive(12);
  expect(position.heading).toBeCloseTo(90);
  expect(position.lon / metre).toBeCloseTo(40, 3);
  expect(course.done).toBe(false);

  expect(course.drive(60)).toMatchObject({ lat: 100 * metre, lon: 100 * metre, speed: 0 });
  expect(course.done).toBe(true);
});

test("what is left falls as the car drives", () => {
  const course = new Course({ points: [...north100, [100 * metre, 100 * metre]], speeds_mps: [10, 20] }, 1);
  expect(course.left.metres).toBeCloseTo(200, 3);
  expect(course.left.seconds).toBeCloseTo(15, 3);

  course.drive(11);
  expect(course.left.metres).toBeCloseTo(80, 3);
  expect(course.left.seconds).toBeCloseTo(4, 3);

  course.drive(60);
  expect(course.left).toEqual({ metres: 0, seconds: 0 });
});

test("a course without length is done at once", () => {
  expect(new Course({ points: [[1, 2], [1, 2]], speeds_mps: [5] }, 4).done).toBe(true);
});
