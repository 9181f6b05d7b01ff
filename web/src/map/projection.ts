/** What of the world a canvas shows: Web Mercator, north up. */
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
  const s = Math.sin((lat * Math.PI) / 180);
  return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
}

export const screenX = (p: Projection, lon: number): number => (mercatorX(lon) - p.x) * p.worldSize + p.width / 2;
export const screenY = (p: Projection, lat: number): number => (mercatorY(lat) - p.y) * p.worldSize + p.height / 2;

export function unproject(p: Projection, x: number, y: number): LatLon {
  const mx = (x - p.width / 2) / p.worldSize + p.x;
  const my = (y - p.height / 2) / p.worldSize + p.y;
  return { lon: (mx - 0.5) * 360, lat: (Math.atan(Math.sinh(Math.PI * (1 - 2 * my))) * 180) / Math.PI };
}

export function boundsOf(p: Projection): Bounds {
  const nw = unproject(p, 0, 0);
  const se = unproject(p, p.width, p.height);
  return { west: nw.lon, north: nw.lat, east: se.lon, south: se.lat };
}

export function around(points: LatLon[]): Bounds {
  const lats = points.map((p) => p.lat);
  const lons = points.map((p) => p.lon);
  return { west: Math.min(...lons), east: Math.max(...lons), south: Math.min(...lats), north: Math.max(...lats) };
}
