import { ageOf } from "../api/age";
import { tileSize } from "./base";
import { drawArrow, drawCar, paintOf } from "./car";
import { dark, light, type MapColours } from "./colours";
import { crowdFrom, type Crowd } from "./crowd";
import { drawTails } from "./draw-tails";
import type { Fleet, Shown } from "./fleet";
import { drawDropoff, drawLabel, drawPickup } from "./pins";
import { screenX, screenY, type LatLon, type Projection } from "./projection";
import { drawDriven, drawWay, leftOf } from "./way";

/** What lies over the base map besides the fleet. */
export interface Scene {
  pickup?: LatLon | undefined;
  dropoff?: LatLon | undefined;
  pickupLabel?: string | undefined; // beside the pin, such as "Pickup, Zabala"
  dropoffLabel?: string | undefined;

  route?: [number, number][] | undefined; // the trip: latitude, longitude
  approach?: [number, number][] | undefined; // the way to the pickup; the pickup alone is a straight line. The trip is dashed beside it
  underway?: boolean | undefined; // the car drives the approach, or else the trip: what lies behind it is not drawn
  driven?: LatLon[] | undefined; // the driver's points of this ride

  highlighted?: number | undefined; // the vehicle of this ride, or of this driver
  paint?: string | undefined; // that vehicle's colour, such as "blue": it is drawn as a car
  self?: (LatLon & { heading: number }) | undefined; // the driver's own position
  tails?: boolean | undefined; // each car has a tail: where it was in the last 8 s
}

/** Draws the scene and the fleet once. What is drawn later lies on top. */
export function drawScene(ctx: CanvasRenderingContext2D, p: Projection, fleet: Fleet, scene: Scene, isDark: boolean, now: number, crowd?: Crowd): void {
  const colours = isDark ? dark : light;
  const zoom = Math.log2(p.worldSize / tileSize);
  const own = ownCar(fleet, scene, now);

  // Cars grow with the zoom, within bounds that keep them readable.
  const size = Math.min(Math.max(zoom - 6.5, 4.5), 9);

  // Cars that are not heard from are outlines of where they were, without a tail.
  const fresh = ageOf(fleet.heardAt, now) === "fresh";
  const tails = fresh && scene.tails === true;
  const [fill, edge] = fresh ? [tails ? colours.head : colours.car, colours.carEdge] : [colours.land, colours.label];
  if (crowd && fleet.size >= crowdFrom) {
    crowd.draw(ctx, p, fleet, { size, fill, edge, tail: tails ? colours.car : undefined }, scene.highlighted, now);
    drawWays(ctx, p, scene, own?.at, colours);
  } else {
    ctx.clearRect(0, 0, p.width, p.height);
    drawWays(ctx, p, scene, own?.at, colours);
    if (tails) drawTails(ctx, p, fleet, colours, now);
    fleet.forEach(now, (id, lat, lon, heading) => {
      if (id !== scene.highlighted) drawArrow(ctx, screenX(p, lon), screenY(p, lat), heading, size, fill, edge);
    });
  }

  if (scene.pickup) drawPickup(ctx, p, scene.pickup, colours);
  if (scene.dropoff) drawDropoff(ctx, p, scene.dropoff, colours);
  if (own) drawOwn(ctx, p, own, scene, size, zoom, colours);
  if (scene.pickup && scene.pickupLabel) drawLabel(ctx, p, scene.pickup, scene.pickupLabel, scene.dropoff, colours);
  if (scene.dropoff && scene.dropoffLabel) drawLabel(ctx, p, scene.dropoff, scene.dropoffLabel, scene.pickup, colours);
}

/**
 * Where the car of this ride is. A driver's own car comes through the stream as well:
 * the fleet's position is preferred, as it moves smoothly, while a fix jumps once a
 * second. A driver's own position is known here, whatever the stream says.
 */
function ownCar(fleet: Fleet, scene: Scene, now: number): { at: Shown; heard: boolean } | undefined {
  const id = scene.highlighted;
  const inFleet = id === undefined ? undefined : fleet.get(id, now);
  const heard = id !== undefined && ageOf(fleet.fixAt(id), now) === "fresh";
  const at = scene.self && !heard ? scene.self : (inFleet ?? scene.self);

  return at && { at, heard: heard || scene.self !== undefined };
}

function drawWays(ctx: CanvasRenderingContext2D, p: Projection, scene: Scene, car: LatLon | undefined, colours: MapColours): void {
  const places = (way: [number, number][]) => way.map(([lat, lon]) => ({ lat, lon }));
  const ahead = (way: LatLon[]) => (scene.underway && car ? leftOf(way, car) : way);
  const { approach, route } = scene;

  if (route) drawWay(ctx, p, approach ? places(route) : ahead(places(route)), approach !== undefined, colours);
  if (approach) drawWay(ctx, p, ahead(places(approach)), false, colours);
  if (scene.driven) drawDriven(ctx, p, scene.driven, colours);
}

function drawOwn(ctx: CanvasRenderingContext2D, p: Projection, car: { at: Shown; heard: boolean }, scene: Scene, size: number, zoom: number, colours: MapColours): void {
  const [x, y, heading] = [screenX(p, car.at.lon), screenY(p, car.at.lat), car.at.heading];

  // A disc that stands still: what moves on the map is data.
  if (car.heard) {
    ctx.beginPath();
    ctx.arc(x, y, size * 3, 0, 2 * Math.PI);
    ctx.fillStyle = withAlpha(colours.own, 0.16);
    ctx.fill();
  }

  // Its paint goes as well where it is not heard from. What drives nobody knows where is a disc.
  const paint = paintOf(scene.paint);
  if (paint === undefined || heading === undefined) drawArrow(ctx, x, y, heading, size * 1.5, car.heard ? colours.own : colours.land, car.heard ? colours.carEdge : colours.own);
  else drawCar(ctx, x, y, heading, Math.min(Math.max((zoom - 8) * 6, 26), 46), car.heard ? paint : colours.land, colours);
}

function withAlpha(hex: string, alpha: number): string {
  const n = Math.round(alpha * 255).toString(16).padStart(2, "0");
  return hex + n;
}
