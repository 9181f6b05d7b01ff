import { expect, test } from "vitest";
import type { Vehicle } from "../api/frame";
import { Fleet } from "./fleet";
import { mercatorX, mercatorY, type Projection } from "./projection";
import { drawScene } from "./scene";

const now = 1_800_000_000_000;
const view: Projection = { x: mercatorX(-56.2), y: mercatorY(-34.9), worldSize: 512 * 2 ** 13, width: 800, height: 600 };

/** The names of what is called on a canvas, in order. */
function drawn(vehicle: Partial<Vehicle>): string[] {
  const calls: string[] = [];
  const ctx = new Proxy({}, { get: (_, name: string) => () => calls.push(name), set: () => true });
  const fleet = new Fleet();
  fleet.apply({ all: true, serverTime: now, behind: 0, vehicles: [{ id: 1, lat: -34.9, lon: -56.2, at: now, behind: 0, ...vehicle }] }, now);

  drawScene(ctx as CanvasRenderingContext2D, view, fleet, {}, false, now);
  return calls;
}

test("a car points where it drives, and is a disc where that is not known", () => {
  expect(drawn({ heading: 90 })).toContain("rotate");
  expect(drawn({ heading: 90 })).not.toContain("arc");
  expect(drawn({})).toContain("arc");
  expect(drawn({})).not.toContain("rotate");
});
