import { describe, expect, test } from "vitest";
import type { Frame, Vehicle } from "../api/frame";
import { Fleet, silentAfter, turned } from "./fleet";

const t0 = 1_800_000_000_000;

function frame(at: number, vehicles: Partial<Vehicle>[], all = false): Frame {
  const full = vehicles.map((v) => ({ id: 1, lat: -34.9, lon: -56.2, speed: 0, heading: 0, at, behind: 0, ...v }));
  return { all, serverTime: at, behind: 0, vehicles: full };
}

describe("a fleet", () => {
  test("goes on north at the speed of the last fix", () => {
    const fleet = new Fleet();
    fleet.apply(frame(t0, [{ speed: 10 }]), t0);

    expect(fleet.get(1, t0 + 1000)?.lat).toBeCloseTo(-34.9 + 10 / 111_320, 9);
  });

  test("does not guess where a car goes whose speed or heading is not known", () => {
    const fleet = new Fleet();
    fleet.apply(frame(t0, [{ id: 1, speed: undefined, heading: 90 }, { id: 2, speed: 10, heading: undefined }]), t0);

    expect(fleet.get(1, t0 + 2000)).toEqual({ lat: -34.9, lon: -56.2, heading: 90 });
    expect(fleet.get(2, t0 + 2000)).toEqual({ lat: -34.9, lon: -56.2, heading: undefined });

    // It is known again: the car turns from nowhere, and goes on.
    fleet.apply(frame(t0 + 2000, [{ id: 2, speed: 10, heading: 90 }]), t0 + 2000);
    expect(fleet.get(2, t0 + 2000)?.heading).toBe(90);
    expect(fleet.get(2, t0 + 4000)?.lon).toBeGreaterThan(-56.2);
  });

  test("steps from fix to fix for who wants no motion", () => {
    const fleet = new Fleet();
    fleet.still = true;
    fleet.apply(frame(t0, [{ speed: 10, heading: 90 }]), t0);
    expect(fleet.get(1, t0 + 900)).toEqual({ lat: -34.9, lon: -56.2, heading: 90 });

    fleet.apply(frame(t0 + 1000, [{ lon: -56.19, speed: 10, heading: 0 }]), t0 + 1000);
    expect(fleet.get(1, t0 + 1000)).toEqual({ lat: -34.9, lon: -56.19, heading: 0 });
  });

  test("stops guessing when no new fix comes", () => {
    const fleet = new Fleet();
    fleet.apply(frame(t0, [{ speed: 10 }]), t0);

    expect(fleet.get(1, t0 + 9000)).toEqual(fleet.get(1, t0 + 12_000));
  });

  test("never shows an older fix after a newer", () => {
    const fleet = new Fleet();
    fleet.apply(frame(t0, [{ lat: -34.8 }]), t0);
    fleet.apply(frame(t0 + 10, [{ lat: -34.7, at: t0 - 1000 }]), t0 + 10);

    expect(fleet.get(1, t0 + 5000)?.lat).toBeCloseTo(-34.8, 9);
  });

  test("does not jump to a new fix, and gets there", () => {
    const fleet = new Fleet();
    fleet.apply(frame(t0, [{ speed: 10 }]), t0);
    const before = fleet.get(1, t0 + 1000)!;

    fleet.apply(frame(t0 + 1000, [{ lat: -34.9, lon: -56.199 }]), t0 + 1000);

    expect(fleet.get(1, t0 + 1000)?.lat).toBeCloseTo(before.lat, 9);
    expect(fleet.get(1, t0 + 1000)?.lon).toBeCloseTo(before.lon, 9);
    expect(fleet.get(1, t0 + 2000)?.lon).toBeCloseTo(-56.199, 9);
  });

  test("follows the server's clock, not ours", () => {
    const fleet = new Fleet();
    fleet.apply(frame(t0, [{ speed: 10 }]), 5000);

    expect(fleet.get(1, 6000)?.lat).toBeCloseTo(-34.9 + 10 / 111_320, 9);
  });

  test("takes a frame that is late for late, and not the server's clock for slow", () => {
    const fleet = new Fleet();
    fleet.apply(frame(t0, [{ speed: 10 }]), t0 + 20);

    // A minute of frames on a machine that is two seconds late with each.
    for (let ms = 250; ms < 60_000; ms += 250) fleet.apply(frame(t0 + ms, [{ speed: 10 }]), t0 + ms + 2000);
    expect(t0 + 62_000 - (fleet.heardAt ?? 0)).toBeGreaterThan(1750);
    expect(fleet.get(1, t0 + 61_750)!.lat).toBeGreaterThan(-34.9 + 17 / 111_320);

    // One that is not tells the time again.
    for (let ms = 60_000; ms < 62_500; ms += 250) fleet.apply(frame(t0 + ms, [{ speed: 10 }]), t0 + ms + 20);
    expect(t0 + 62_270 - (fleet.heardAt ?? 0)).toBeLessThan(30);
  });

  test("drops the silent vehicles, and those that a full frame leaves out", () => {
    const fleet = new Fleet();
    fleet.apply(frame(t0, [{ id: 1 }, { id: 2, behind: silentAfter - 500 }, { id: 3 }]), t0);

    fleet.apply(frame(t0 + 1000, []), t0 + 1000);
    fleet.sweep();
    expect(fleet.get(2, t0)).toBeUndefined();

    fleet.apply(frame(t0 + 1000, [{ id: 3 }], true), t0 + 1000);
    expect(fleet.size).toBe(1);
  });

  test("shows a car of a recording by when it arrives, and moves it from there", () => {
    const fleet = new Fleet();
    const recorded = Date.UTC(2020, 0, 1);
    fleet.apply(frame(t0, [{ at: recorded, speed: 10, behind: 100 }]), t0);

    fleet.apply(frame(t0 + 1000, []), t0 + 1000);
    fleet.sweep();
    expect(fleet.size).toBe(1);
    expect(fleet.get(1, t0 + 900)?.lat).toBeCloseTo(-34.9 + 10 / 111_320, 9);

    fleet.apply(frame(t0 + silentAfter, []), t0 + silentAfter);
    fleet.sweep();
    expect(fleet.size).toBe(0);
  });

  test("is as old as what the map has heard, and keeps its cars while nothing is heard", () => {
    const fleet = new Fleet();
    expect(fleet.heardAt).toBeUndefined();
    fleet.apply(frame(t0, [{ id: 1, behind: 250 }]), 5000);
    expect(fleet.heardAt).toBe(5000);
    expect(fleet.fixAt(1)).toBe(4750);

    // The stream is silent: the frames go on, and say so, or that nobody knows.
    fleet.apply({ ...frame(t0 + 20_000, []), behind: 20_000 }, 25_000);
    fleet.apply({ ...frame(t0 + 30_000, []), behind: undefined }, 35_000);
    fleet.sweep();
    expect(fleet.heardAt).toBe(5000);
    expect(fleet.size).toBe(1);

    // It is heard again, without that car.
    fleet.apply(frame(t0 + 31_000, []), 36_000);
    fleet.sweep();
    expect(fleet.heardAt).toBe(36_000);
    expect(fleet.size).toBe(0);
  });

  test("uses the rows of dropped vehicles again, and grows", () => {
    const fleet = new Fleet();
    const many = Array.from({ length: 1000 }, (_, i) => ({ id: i, lon: i / 100 }));
    fleet.apply(frame(t0, many, true), t0);
    fleet.apply(frame(t0 + 1, many.slice(500).map((v) => ({ ...v, id: v.id + 1000 })), true), t0 + 1);
    expect(fleet.size).toBe(500);

    const lons = new Set<number>();
    fleet.forEach(t0 + 1, (_, __, lon) => lons.add(lon));
    expect(lons.size).toBe(500);
  });
});

test("a heading turns the short way", () => {
  expect(turned(350, 10, 0.5)).toBeCloseTo(0);
  expect(turned(10, 350, 0.25)).toBeCloseTo(5);
});
