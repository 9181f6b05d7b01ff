import { ageOf } from "../api/age";
import { tileSize } from "./base";
import { dark, light, type MapColours } from "./colours";
import type { Fleet, Shown } from "./fleet";
import { screenX, screenY, type LatLon, type Projection } from "./projection";

/** What lies over the base map besides the fleet. */
export interface Scene {
  pickup?: LatLon | undefined;
  dropoff?: LatLon | undefined;
  route?: [number, number][] | undefined; // latitude, longitude
  highlighted?: number | undefined; // the vehicle of this ride, or of this driver
  self?: (LatLon & { heading: number }) | undefined; // the driver's own position
}

/** Draws the scene and the fleet once. What is drawn later lies on top. */
export function drawScene(ctx: CanvasRenderingContext2D, p: Projection, fleet: Fleet, scene: Scene, isDark: boolean, now: number): void {
  const colours = isDark ? dark : light;
  ctx.clearRect(0, 0, p.width, p.height);
  if (scene.route) drawRoute(ctx, p, scene.route, colours);

  // Cars grow with the zoom, within bounds that keep them readable.
  const size = Math.min(Math.max(Math.log2(p.worldSize / tileSize) - 6.5, 4.5), 9);

  // Cars that are not heard from are outlines of where they were.
  const fresh = ageOf(fleet.heardAt, now) === "fresh";
  const [fill, edge] = fresh ? [colours.car, colours.carEdge] : [colours.land, colours.label];
  fleet.forEach(now, (id, lat, lon, heading) => {
    if (id === scene.highlighted) return;
    drawCar(ctx, screenX(p, lon), screenY(p, lat), heading, size, fill, edge);
  });

  if (scene.pickup) drawPickup(ctx, p, scene.pickup, colours);
  if (scene.dropoff) drawDropoff(ctx, p, scene.dropoff, colours);

  // A driver's own car comes through the stream as well. The fleet's position
  // is preferred, as it moves smoothly, while a fix jumps once a second.
  // A driver's own position is known here, whatever the stream says.
  const id = scene.highlighted;
  const inFleet = id === undefined ? undefined : fleet.get(id, now);
  const heard = id !== undefined && ageOf(fleet.fixAt(id), now) === "fresh";
  const car = scene.self && !heard ? scene.self : (inFleet ?? scene.self);
  if (car && (heard || scene.self)) drawHighlighted(ctx, p, car, size, colours);
  else if (car) drawCar(ctx, screenX(p, car.lon), screenY(p, car.lat), car.heading, size * 1.5, colours.land, colours.own);
}

function drawHighlighted(ctx: CanvasRenderingContext2D, p: Projection, car: Shown, size: number, colours: MapColours): void {
  const [x, y] = [screenX(p, car.lon), screenY(p, car.lat)];

  // A disc that stands still: what moves on the map is data.
  ctx.beginPath();
  ctx.arc(x, y, size * 3, 0, 2 * Math.PI);
  ctx.fillStyle = withAlpha(colours.own, 0.16);
  ctx.fill();

  drawCar(ctx, x, y, car.heading, size * 1.5, colours.own, colours.carEdge);
}

/** Draws an arrowhead that points where the car drives, and a disc where that is not known. */
function drawCar(ctx: CanvasRenderingContext2D, x: number, y: number, heading: number | undefined, size: number, fill: string, edge: string): void {
  ctx.save();
  ctx.translate(x, y);

  ctx.beginPath();
  if (heading === undefined) {
    ctx.arc(0, 0, size * 0.7, 0, 2 * Math.PI);
  } else {
    ctx.rotate((heading * Math.PI) / 180);
    ctx.moveTo(0, -size);
    ctx.lineTo(size * 0.72, size * 0.85);
    ctx.lineTo(0, size * 0.45);
    ctx.lineTo(-size * 0.72, size * 0.85);
    ctx.closePath();
  }

  // The edge is drawn first: the fill covers its inner half.
  ctx.lineJoin = "round";
  ctx.lineWidth = 2.5;
  ctx.strokeStyle = edge;
  ctx.stroke();
  ctx.fillStyle = fill;
  ctx.fill();
  ctx.restore();
}

/** A ring where the ride begins. */
function drawPickup(ctx: CanvasRenderingContext2D, p: Projection, at: LatLon, colours: MapColours): void {
  const [x, y] = [screenX(p, at.lon), screenY(p, at.lat)];

  disc(ctx, x, y, 11, colours.carEdge);
  disc(ctx, x, y, 9, colours.own);
  disc(ctx, x, y, 4, colours.carEdge);
}

function disc(ctx: CanvasRenderingContext2D, x: number, y: number, r: number, fill: string): void {
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.fillStyle = fill;
  ctx.fill();
}

/** A square where it ends. */
function drawDropoff(ctx: CanvasRenderingContext2D, p: Projection, at: LatLon, colours: MapColours): void {
  const [x, y] = [screenX(p, at.lon), screenY(p, at.lat)];

  for (const [half, fill] of [[10, colours.carEdge], [8, colours.own], [3, colours.carEdge]] as const) {
    ctx.fillStyle = fill;
    ctx.fillRect(x - half, y - half, half * 2, half * 2);
  }
}

function drawRoute(ctx: CanvasRenderingContext2D, p: Projection, points: [number, number][], colours: MapColours): void {
  ctx.beginPath();
  points.forEach(([lat, lon], i) => (i ? ctx.lineTo(screenX(p, lon), screenY(p, lat)) : ctx.moveTo(screenX(p, lon), screenY(p, lat))));
  ctx.lineJoin = ctx.lineCap = "round";

  // The wide line beneath the narrower one is the route's edge.
  ctx.strokeStyle = colours.carEdge;
  ctx.lineWidth = 8;
  ctx.stroke();
  ctx.strokeStyle = colours.own;
  ctx.lineWidth = 4.5;
  ctx.stroke();
}

function withAlpha(hex: string, alpha: number): string {
  const n = Math.round(alpha * 255).toString(16).padStart(2, "0");
  return hex + n;
}
