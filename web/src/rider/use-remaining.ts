import { useEffect, useState } from "react";
import { ageOf } from "../api/age";
import { rider } from "../api/client";
import type { Ride } from "../api/types";
import type { LatLon } from "../map/projection";
import { remainingOf, secondsLeft, type Sample } from "./remaining";

/** What remains of the driver's route, and how long it takes at the car's present pace. */
export interface Remaining {
  metres: number;
  seconds: number | undefined;
  at: number; // when the car was heard from
  route: number[][]; // the driver's, as far as anybody can tell
}

const interval = 1000; // ms
const maxOffRoute = 150; // metres beside the route, after which the car drives another one
const maxSamples = 20;
const near = 30; // metres within which the car has arrived

/** Where a car is, and when that was heard. */
export type HeardCar = LatLon & { at: number };

/** Follows the car to the pick-up, then to the drop-off. */
export function useRemaining(ride: Ride | undefined, locateCar: () => HeardCar | undefined): Remaining | undefined {
  const [remaining, setRemaining] = useState<Remaining>();
  const to = ride?.state === "assigned" ? ride.pickup : ride?.state === "picked_up" ? ride.dropoff : undefined;

  useEffect(() => {
    setRemaining(undefined);
    if (!to) return;

    let stopped = false;
    let arrived = false;
    let timer: ReturnType<typeof setTimeout>;
    let route: number[][] = [];
    let samples: Sample[] = [];

    const measure = async () => {
      const car = locateCar();

      // A car that is silent stands still on the map only. Its pace is measured anew
      // when it is heard from again.
      if (!car || ageOf(car.at) !== "fresh") {
        samples = [];
        return;
      }

      // Nobody tells us the driver's route. We ask for one from where the car is,
      // and ask again only if the car turns out to drive elsewhere.
      if (remainingOf(route, car).offRoute > maxOffRoute) {
        route = (await rider.route(car, to)).points;
        samples = [];
      }

      const { metres } = remainingOf(route, car);
      samples = [...samples, { metres, at: Date.now() }].slice(-maxSamples);
      arrived = metres < near;
      if (!stopped) setRemaining({ metres, seconds: secondsLeft(samples), at: car.at, route });
    };

    // A route that could not be fetched is asked for again at the next measurement.
    // After the arrival nothing is measured: a car that parks does not set out again.
    const measureAgain = () =>
      void measure()
        .catch(() => undefined)
        .finally(() => {
          if (!stopped && !arrived) timer = setTimeout(measureAgain, interval);
        });
    measureAgain();

    return () => {
      stopped = true;
      clearTimeout(timer);
    };
    // Each answer of the server has a new object for the same place: compare where it is.
  }, [ride?.id, to?.lat, to?.lon, locateCar]);

  return remaining;
}
