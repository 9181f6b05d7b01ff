import type { Bounds } from "../map/projection";

export const noPadding = { top: 0, bottom: 0, left: 0, right: 0 };

// The old town with its bay on the left: open water for the words.
const oldTown: Bounds = { west: -56.2538, east: -56.1302, south: -34.9291, north: -34.8841 };

const rambla = { west: -56.2, east: -56.15, shore: -34.9125 }; // where the city ends in the south
const words = 204; // px, the headline on a phone and what lies below it

/** What the map shows first: on a phone the shore lies where the headline begins. */
export function cityBeside(width: number, height: number, phone: boolean | undefined): Bounds {
  if (!phone) return oldTown;

  const degreesPerPx = ((rambla.east - rambla.west) / width) * Math.cos((rambla.shore * Math.PI) / 180);
  const north = rambla.shore + (height - words) * degreesPerPx;
  return { west: rambla.west, east: rambla.east, north, south: north - height * degreesPerPx };
}
