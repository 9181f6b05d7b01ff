import { ageOf } from "../api/age";
import type { Fleet } from "./fleet";
import { screenX, screenY, type Projection } from "./projection";
import type { Fix } from "./tails";

/** A car as it is drawn: where, in pixels of the map, and the points behind it. */
export interface ShownCar {
  vehicle: number;
  x: number;
  y: number;
  heading: number | undefined;
  points: Fix[]; // of the last 8 s, the oldest first
}

/** One car, or undefined where it is not shown or nothing is heard from it. */
export function shownCar(fleet: Fleet, p: Projection, vehicle: number, now: number): ShownCar | undefined {
  const car = fleet.get(vehicle, now);
  if (!car || ageOf(fleet.heardAt, now) !== "fresh") return undefined;

  return { vehicle, x: screenX(p, car.lon), y: screenY(p, car.lat), heading: car.heading, points: fleet.pointsOf(vehicle, now) };
}

/** All cars that lie within the map's edges. */
export function shownCars(fleet: Fleet, p: Projection, now: number): ShownCar[] {
  const cars: ShownCar[] = [];

  fleet.forEach(now, (id, lat, lon) => {
    const [x, y] = [screenX(p, lon), screenY(p, lat)];
    const car = x >= 0 && y >= 0 && x <= p.width && y <= p.height ? shownCar(fleet, p, id, now) : undefined;
    if (car) cars.push(car);
  });
  return cars;
}
