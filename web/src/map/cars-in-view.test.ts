import { expect, test } from "vitest";
import { carsInView, headingWord, kmh } from "./cars-in-view";
import { Fleet } from "./fleet";
import { mercatorX, mercatorY } from "./projection";

const now = 1_800_000_000_000;
const car = (id: number, lat: number, lon: number, speed?: number) => ({ id, lat, lon, at: now, behind: 0, ...(speed === undefined ? {} : { speed }) });

test("the list has the cars within the map's edges, by their number, and what is not known of them is no 0", () => {
  const fleet = new Fleet();
  fleet.apply({ all: true, serverTime: now, behind: 0, vehicles: [car(7, -34.9, -56.17, 10), car(3, -34.901, -56.171), car(5, -34.5, -56.17, 10)] } as Parameters<Fleet["apply"]>[0], now);
  const p = { x: mercatorX(-56.17), y: mercatorY(-34.9), worldSize: 512 * 2 ** 13, width: 800, height: 600 };

  const rows = carsInView(fleet, p, now);
  expect(rows.map((r) => r.vehicle)).toEqual([3, 7]);
  expect(rows.map((r) => kmh(r.speed))).toEqual(["?", "36 km/h"]);
  expect(rows[1]?.heardAt).toBe(now);
});

test("a heading is a wind", () => {
  expect([0, 44, 359, 180, 315].map(headingWord)).toEqual(["north", "north-east", "north", "south", "north-west"]);
  expect(headingWord(undefined)).toBe("?");
});
