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
