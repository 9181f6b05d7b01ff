// Where the simulated drivers were, by the database: what a map shows is held against it.
import { metresBetween } from "../src/map/geo";
import type { LatLon } from "../src/map/projection";
import { sql } from "./world";

export interface Fix extends LatLon {
  at: number;
  speed: number;
}

/** Each driver's fixes of some time, by the database. A simulated driver's sequence is the fix's time in ms. */
export async function fixesOf(from: number, to: number): Promise<Fix[][]> {
  const rows = await sql<Fix & { driver: string }>(
    "SELECT driver::text, lat::float8, lon::float8, speed::float8, seq::float8 AS at FROM history.points WHERE seq BETWEEN $1 AND $2 ORDER BY driver, seq", from, to);

  const drivers = new Map<string, Fix[]>();
  for (const { driver, ...fix } of rows) drivers.set(driver, [...(drivers.get(driver) ?? []), fix]);
  return [...drivers.values()];
}

/** Where each driver was at a time, on the straight line between two fixes. */
export const placesAt = (drivers: Fix[][], at: number): LatLon[] =>
  drivers.flatMap((fixes) => {
    const i = fixes.findIndex((f) => f.at > at);
    const [a, b] = [fixes[i - 1], fixes[i]];
    if (!a || !b) return [];
    const part = (at - a.at) / (b.at - a.at);
    return [{ lat: a.lat + (b.lat - a.lat) * part, lon: a.lon + (b.lon - a.lon) * part }];
  });

export const metres = (a: LatLon, b: LatLon) => Math.hypot(...metresBetween(a, b));
