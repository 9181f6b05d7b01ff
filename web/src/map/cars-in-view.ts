import type { Fleet } from "./fleet";
import { screenX, screenY, type LatLon, type Projection } from "./projection";

/** A car that lies within the map's edges, as a row of the list beside it. */
export interface CarRow extends LatLon {
  vehicle: number;
  heading: number | undefined;
  speed: number | undefined; // m/s
  heardAt: number | undefined; // when its last point arrived, by our clock
}

export const mostRows = 200;

/** The cars within the map's edges, by their number, so that no row jumps when they are listed again. */
export function carsInView(fleet: Fleet, p: Projection, now: number): CarRow[] {
  const rows: CarRow[] = [];
  fleet.forEach(now, (vehicle, lat, lon, heading) => {
    const [x, y] = [screenX(p, lon), screenY(p, lat)];
    if (x < 0 || y < 0 || x > p.width || y > p.height) return;
    rows.push({ vehicle, lat, lon, heading, speed: fleet.speedOf(vehicle), heardAt: fleet.fixAt(vehicle) });
  });
  return rows.sort((a, b) => a.vehicle - b.vehicle);
}

const winds = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];

/** Where a car drives to, in words. */
export const headingWord = (heading: number | undefined): string => (heading === undefined ? "?" : (winds[Math.round(heading / 45) % 8] ?? "?"));

/** A speed as a driver reads it. */
export const kmh = (speed: number | undefined): string => (speed === undefined ? "?" : `${Math.round(speed * 3.6)} km/h`);
