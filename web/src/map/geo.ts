// Distances on the ground, with the earth flat around one place. A city is small
// enough for that.
import type { LatLon } from "./projection";

const metresPerDegree = 111_320;

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Metres north and east that lead from one place to another. */
export function metresBetween(from: LatLon, to: LatLon): [north: number, east: number] {
  const shrink = Math.cos(radians(from.lat)); // meridians come closer away from the equator
  return [(to.lat - from.lat) * metresPerDegree, (to.lon - from.lon) * metresPerDegree * shrink];
}

/** The place that lies some metres away in a direction. */
export function placeAhead(from: LatLon, heading: number, metres: number): LatLon {
  const angle = radians(heading);

  return {
    lat: from.lat + (metres * Math.cos(angle)) / metresPerDegree,
    lon: from.lon + (metres * Math.sin(angle)) / (metresPerDegree * Math.cos(radians(from.lat))),
  };
}
