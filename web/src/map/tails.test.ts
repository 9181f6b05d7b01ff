import { expect, test } from "vitest";
import type { Vehicle } from "../api/frame";
import { Fleet } from "./fleet";
import { tailFor } from "./tails";

const t0 = 1_800_000_000_000;

/** A fleet that got a fix each second of one car that drives north; its clock is 5 s ahead of ours. */
function driven(seconds: number, car: Partial<Vehicle> = {}): { fleet: Fleet; now: number } {
  const fleet = new Fleet();
  for (let s = 0; s <= seconds; s++) {
    const at = t0 + s * 1000;
    fleet.apply({ all: false, serverTime: at, behind: 0, vehicles: [{ id: 1, lat: -34.9 + s / 10_000, lon: -56.2, speed: 10, heading: 0, at, behind: 0, ...car }] }, at - 5000);
  }
  return { fleet, now: t0 + seconds * 1000 - 5000 };
}

const tail = (fleet: Fleet, now: number) => {
  const way: { lat: number; age: number; begins: boolean }[] = [];
  fleet.forEachTail(now, (lat, _, age, begins) => way.push({ lat, age, begins }));
  return way;
};

test("a tail is the fixes of the last 8 s by the server's clock, in their order, however many came", () => {
  const { fleet, now } = driven(100);

  const ages = fleet.pointsOf(1, now).map((f) => t0 + 100_000 - f.at);
  expect(ages).toEqual([8000, 7000, 6000, 5000, 4000, 3000, 2000, 1000, 0]);
  expect(fleet.pointsOf(1, now + 3000).map((f) => f.at)).toEqual([95, 96, 97, 98, 99, 100].map((s) => t0 + s * 1000));
});

test("a tail ends 8 s back, between two fixes, and begins where the car is shown", () => {
  const { fleet, now } = driven(20);
  const way = tail(fleet, now + 500);

  expect(way[0]).toMatchObject({ age: tailFor, begins: true });
  expect(way[0]!.lat).toBeCloseTo(-34.9 + 12.5 / 10_000, 9);
  expect(way.at(-1)).toEqual({ lat: fleet.get(1, now + 500)!.lat, age: 0, begins: false });
  expect(way.filter((p) => p.begins)).toHaveLength(1);
});

test("a car that is not heard from has no tail after 8 s", () => {
  const { fleet, now } = driven(20);

  expect(tail(fleet, now + tailFor + 1)).toEqual([]);
});

test("a car has nothing of the car whose row it got", () => {
  const { fleet, now } = driven(20);
  const serverTime = t0 + 20_000;
  const other = { id: 2, lat: -34.8, lon: -56.1, at: serverTime, behind: 0 };
  fleet.apply({ all: true, serverTime, behind: 0, vehicles: [] }, now);
  fleet.apply({ all: true, serverTime, behind: 0, vehicles: [other] }, now);

  expect(fleet.pointsOf(2, now)).toEqual([{ lat: -34.8, lon: -56.1, at: serverTime }]);
});

test("a recorded car's tail is of when its fixes arrived", () => {
  const fleet = new Fleet();
  for (let s = 0; s <= 20; s++) {
    const fix = { id: 1, lat: -34.9, lon: -56.2, at: Date.UTC(2020, 0, 1) + s * 1000, behind: 0 };
    fleet.apply({ all: false, serverTime: t0 + s * 1000, behind: 0, vehicles: [fix] }, t0 + s * 1000);
  }

  expect(fleet.pointsOf(1, t0 + 20_000)).toHaveLength(9);
});
