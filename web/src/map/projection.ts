/** The part of the world that a canvas shows: Web Mercator, with north up. */
export interface Projection {
  x: number; // centre, 0 to 1 from west to east
  y: number; // centre, 0 to 1 from north to south
  worldSize: number; // the whole world's width in CSS pixels
  width: number;
  height: number;
}

export interface Bounds {
  west: number;
  south: number;
  east: number;
  north: number;
}

export type LatLon = { lat: number; lon: number };

export const mercatorX = (lon: number): number => lon / 360 + 0.5;

export function mercatorY(lat: number): number {
  const sine = Math.sin((lat * Math.PI) / 180);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
}

export const screenX = (p: Projection, lon: number): number => (mercatorX(lon) - p.x) * p.worldSize + p.width / 2;
export const screenY = (p: Projection, lat: number): number => (mercatorY(lat) - p.y) * p.worldSize + p.height / 2;

/** The place at a pixel of the canvas: the inverse of screenX and screenY. */
export function unproject(p: Projection, x: number, y: number): LatLon {
  const mx = (x - p.width / 2) / p.worldSize + p.x;
  const my = (y - p.height / 2) / p.worldSize + p.y;
  return { lon: (mx - 0.5) * 360, lat: (Math.atan(Math.sinh(Math.PI * (1 - 2 * my))) * 180) / Math.PI };
}

/** The bounds of what the canvas shows. */
export function boundsOf(p: Projection): Bounds {
  const northWest = unproject(p, 0, 0);
  const southEast = unproject(p, p.width, p.height);
  return { west: northWest.lon, north: northWest.lat, east: southEast.lon, south: southEast.lat };
}

/** The smallest bounds that contain all of the places. */
export function around(places: LatLon[]): Bounds {
  const lats = places.map((p) => p.lat);
  const lons = places.map((p) => p.lon);
  return { west: Math.min(...lons), east: Math.max(...lons), south: Math.min(...lats), north: Math.max(...lats) };
}

/** What the city's files cover: beyond it there are neither streets nor a shore. */
export const mapped: Bounds = { west: -56.3378, south: -35.0199, east: -55.9864, north: -34.8139 };

export const contains = (outer: Bounds, inner: Bounds): boolean =>
  outer.west <= inner.west && outer.south <= inner.south && outer.east >= inner.east && outer.north >= inner.north;

/** The nearest view that shows nothing beyond the bounds: moved, and enlarged where they are smaller than it. */
export function keptWithin(p: Projection, bounds: Bounds): Projection {
  const [west, east] = [mercatorX(bounds.west), mercatorX(bounds.east)];
  const [north, south] = [mercatorY(bounds.north), mercatorY(bounds.south)];
  const worldSize = Math.max(p.worldSize, p.width / (east - west), p.height / (south - north));
  const [halfWidth, halfHeight] = [p.width / 2 / worldSize, p.height / 2 / worldSize];

  return {
    ...p,
    worldSize,
    x: Math.min(Math.max(p.x, west + halfWidth), east - halfWidth),
    y: Math.min(Math.max(p.y, north + halfHeight), south - halfHeight),
  };
}

/** The box in a page's address, ?box=west,south,east,north, where recorded trips are for example. */
export function boxIn(search: string): Bounds | undefined {
  const numbers = (new URLSearchParams(search).get("box") ?? "").split(",").map(Number);
  const [west, south, east, north] = numbers;
  if (numbers.length !== 4 || west === undefined || south === undefined || east === undefined || north === undefined) return undefined;

  // A comparison with NaN is false, so text that is no number is no box either.
  const valid = west >= -180 && west <= east && east <= 180 && south >= -85 && south <= north && north <= 85;
  return valid ? { west, south, east, north } : undefined;
}
