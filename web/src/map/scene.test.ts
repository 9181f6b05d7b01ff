import { expect, test } from "vitest";
import type { Vehicle } from "../api/frame";
import { paints } from "../tokens";
import { dark, light } from "./colours";
import { Fleet } from "./fleet";
import { mercatorX, mercatorY, screenX, screenY, type Projection } from "./projection";
import { drawScene, type Scene } from "./scene";

const now = 1_800_000_000_000;
const view: Projection = { x: mercatorX(-56.2), y: mercatorY(-34.9), worldSize: 512 * 2 ** 13, width: 800, height: 600 };

interface Call {
  name: string;
  args: unknown[];
  fill: unknown; // fillStyle and strokeStyle then
  stroke: unknown;
}

/** What is called on a canvas, in order. */
function calls(vehicle: Partial<Vehicle>, scene: Scene = {}, later = 0): Call[] {
  const made: Call[] = [];
  const state: Record<string, unknown> = {};
  const ctx = new Proxy(state, {
    get: (_, name: string) => (...args: unknown[]) => {
      made.push({ name, args, fill: state.fillStyle, stroke: state.strokeStyle });
      return name === "measureText" ? { width: 50 } : undefined;
    },
  });

  const fleet = new Fleet();
  for (const s of [3, 2, 1, 0]) {
    const at = now - s * 1000;
    fleet.apply({ all: true, serverTime: at, behind: 0, vehicles: [{ id: 1, lat: -34.9, lon: -56.2 - s / 1000, at, behind: 0, ...vehicle }] }, at);
  }
  drawScene(ctx as unknown as CanvasRenderingContext2D, view, fleet, scene, false, now + later);
  return made;
}

const drawn = (vehicle: Partial<Vehicle>, scene?: Scene) => calls(vehicle, scene).map((c) => c.name);
const painted = (made: Call[], name: "fill" | "stroke") => made.filter((c) => c.name === name).map((c) => c[name]);

test("a car points where it drives, and is a disc where that is not known", () => {
  expect(drawn({ heading: 90 })).toContain("rotate");
  expect(drawn({ heading: 90 })).not.toContain("arc");
  expect(drawn({})).toContain("arc");
  expect(drawn({})).not.toContain("rotate");
});

test("tails are drawn where they are asked for, and none once nothing is heard", () => {
  const tails = (made: Call[]) => made.filter((c) => c.name === "moveTo" && c.args[0] !== 0);

  expect(tails(calls({ heading: 90 }, { tails: true })).length).toBeGreaterThanOrEqual(3);
  expect(tails(calls({ heading: 90 }))).toEqual([]);
  expect(tails(calls({ heading: 90 }, { tails: true }, 3000))).toEqual([]);
  expect(painted(calls({ heading: 90 }, { tails: true }, 3000), "fill")).toEqual([light.land]);
});

test("the rider's own car is a car in its paint, and has none once it is not heard from", () => {
  const own: Scene = { highlighted: 1, paint: "blue" };

  expect(painted(calls({ heading: 90 }, own), "fill")).toContain(paints.blue);
  expect(painted(calls({ heading: 90 }, own, 3000), "fill")).not.toContain(paints.blue);
  expect(painted(calls({ heading: 90 }, { highlighted: 1, paint: "beige" }), "fill")).toContain(light.own); // a colour that nobody drew
  expect(light.own).not.toBe(dark.own);
});

test("the way is ink from the car on, and what was driven is the driver's points, in blue", () => {
  const route: [number, number][] = [[-34.9, -56.21], [-34.9, -56.19]];
  const driven = [{ lat: -34.9, lon: -56.208 }, { lat: -34.9, lon: -56.204 }];
  const made = calls({ heading: 90 }, { highlighted: 1, route, driven, underway: true }, 1000);

  const begins = made.find((c) => c.name === "moveTo")?.args;
  expect(begins?.[0]).toBeCloseTo(screenX(view, -56.2), 3);
  const dots = made.filter((c) => c.name === "arc").map((c) => c.args.slice(0, 2));
  expect(dots).toEqual(expect.arrayContaining(driven.map((d) => [screenX(view, d.lon), screenY(view, d.lat)])));
  expect(painted(made, "fill")).toContain(light.car);

  const before = calls({ heading: 90 }, { highlighted: 1, route }).find((c) => c.name === "moveTo")?.args;
  expect(before?.[0]).toBeCloseTo(screenX(view, -56.21), 3);
});

test("a label stands beside its pin, on the side where there is room", () => {
  const at = { lat: -34.9, lon: -56.2 };
  const label = (scene: Scene) => calls({}, scene).find((c) => c.name === "fillText")?.args;

  expect(label({ pickup: at, pickupLabel: "Pickup, Zabala" })?.[0]).toBe("Pickup, Zabala");
  expect(label({ pickup: at, pickupLabel: "Pickup, Zabala" })?.[1]).toBeGreaterThan(400);
  const beside = { lat: -34.9, lon: -56.195 }; // some 30 pixels to the right
  expect(label({ pickup: at, pickupLabel: "Pickup, Zabala", dropoff: beside })?.[1]).toBeLessThan(400);
  const edge = { lat: -34.9, lon: -56.2 + 0.033 };
  expect(label({ dropoff: edge, dropoffLabel: "Drop-off" })?.[1]).toBeLessThan(screenX(view, edge.lon));
});
