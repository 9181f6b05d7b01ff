import type { MapColours } from "./colours";
import { metresBetween } from "./geo";
import { screenX, screenY, type LatLon, type Projection } from "./projection";

/**
 * What is left of a way for a car that drives along it: from the car to the end.
 * Where the way passes the car twice, the later part is left, as nobody drives in a circle.
 */
export function leftOf(way: LatLon[], car: LatLon): LatLon[] {
  let [best, next] = [Infinity, 0];

  for (let i = 0; i + 1 < way.length; i++) {
    const distance = distanceToLeg(way[i]!, way[i + 1]!, car);
    if (distance <= best) [best, next] = [distance, i + 1];
  }
  return [car, ...way.slice(next)];
}

/** Metres from a place to the nearest point of the straight line between two others. */
function distanceToLeg(a: LatLon, b: LatLon, place: LatLon): number {
  const [north, east] = metresBetween(a, b);
  const [pNorth, pEast] = metresBetween(a, place);
  const length = north * north + east * east;
  const part = length === 0 ? 0 : Math.min(Math.max((pNorth * north + pEast * east) / length, 0), 1);

  return Math.hypot(pNorth - north * part, pEast - east * part);
}

/** A way that is there: ink with an edge. One that is not there yet is dashed. */
export function drawWay(ctx: CanvasRenderingContext2D, p: Projection, way: LatLon[], dashed: boolean, colours: MapColours): void {
  ctx.beginPath();
  way.forEach(({ lat, lon }, i) => (i ? ctx.lineTo(screenX(p, lon), screenY(p, lat)) : ctx.moveTo(screenX(p, lon), screenY(p, lat))));
  ctx.lineJoin = ctx.lineCap = "round";

  // The wide line beneath the narrower one is the way's edge.
  ctx.strokeStyle = colours.carEdge;
  ctx.lineWidth = dashed ? 5 : 8;
  ctx.stroke();
  ctx.setLineDash(dashed ? [1, 7] : []);
  ctx.strokeStyle = colours.own;
  ctx.lineWidth = dashed ? 3 : 4.5;
  ctx.stroke();
  ctx.setLineDash([]);
}

/** What has been driven is the driver's own points, as the stream keeps them. */
export function drawDriven(ctx: CanvasRenderingContext2D, p: Projection, points: LatLon[], colours: MapColours): void {
  ctx.beginPath();
  for (const { lat, lon } of points) {
    const [x, y] = [screenX(p, lon), screenY(p, lat)];
    ctx.moveTo(x + 3, y);
    ctx.arc(x, y, 3, 0, 2 * Math.PI);
  }

  ctx.lineWidth = 2;
  ctx.strokeStyle = colours.carEdge;
  ctx.stroke();
  ctx.fillStyle = colours.car;
  ctx.fill();
}
