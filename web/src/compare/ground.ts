// The city beneath the maps, drawn once for each size and scheme and then copied.
import { addToPath, loadFeatures, shapesOf, type Line } from "../map/plain";
import { mercatorX, mercatorY, type Projection } from "../map/projection";
import * as roads from "../map/roads";
import { city, page, type Hue, type Scheme } from "../tokens";

// The part of the city where the drivers are, the same in all maps.
const centre = { x: mercatorX(-56.172), y: mercatorY(-34.886) };
const across = 0.12 / 360; // of the whole world's width: 11 km, in which most of them are

/** The one viewport of all maps, at a size in CSS pixels. */
export const viewport = (width: number, height: number): Projection => ({ ...centre, worldSize: width / across, width, height });

interface City {
  sea: Line[];
  streets: Line[];
  mains: Line[];
  trunks: Line[];
}

let loading: Promise<City> | undefined;

/** The city's lines, fetched once. A file that does not come leaves the ground without it. */
function loadCity(): Promise<City> {
  const none = () => [];
  const load = (file: "sea" | "mains" | "streets") => loadFeatures(file).catch(none);
  loading ??= Promise.all([load("sea"), load("mains"), load("streets")]).then(([sea, mains, streets]) => {
    const lines = (features: typeof sea, classes?: string[]) =>
      features.filter((f) => !classes || classes.includes(f.properties?.class ?? "")).flatMap(shapesOf).map((s) => s.line);
    return { sea: lines(sea), streets: lines(streets), mains: lines(mains, roads.mains.classes), trunks: lines(mains, roads.trunks.classes) };
  });
  return loading;
}

interface Paint {
  land: string;
  tint?: string; // over the land
  sea: string;
  streets: [colour: string, width: number];
  mains: [colour: string, width: number];
  trunks: [colour: string, width: number];
}

/** The quiet city of the maps. */
export function mapPaint(scheme: Scheme): Paint {
  const c = city[scheme];
  const [street, main] = scheme === "dark" ? [c.street, c.main] : [c.casing, c.shore]; // white streets would not be seen this small
  return { land: c.land, sea: c.sea, streets: [street, 0.45], mains: [main, 0.8], trunks: [scheme === "dark" ? c.trunk : main, 1.2] };
}

/** The city as a job draws it, in its side's hue. */
export function tilePaint(scheme: Scheme, hue: Hue): Paint {
  const p = page[scheme];
  return { land: p.surface, tint: `${p[hue]}1f`, sea: p.ground, streets: [`${p[`${hue}-mid`]}99`, 0.7], mains: [p[hue], 1.6], trunks: [p[hue], 2.4] };
}

const drawn = new Map<string, HTMLCanvasElement>();
const kept = 12; // pictures; beyond that the oldest goes

/** The ground of a size and paint, or nothing until the city has been fetched; then `ready` is called. */
export function groundOf(width: number, height: number, paint: Paint, ready: () => void): HTMLCanvasElement | undefined {
  const scale = Math.min(devicePixelRatio, 2);
  const key = JSON.stringify([width, height, scale, paint]);
  const known = drawn.get(key);
  if (known) return known;

  void loadCity().then((lines) => {
    if (!drawn.has(key)) drawn.set(key, drawGround(lines, viewport(width, height), paint, scale));
    const [oldest] = drawn.keys();
    if (drawn.size > kept && oldest !== undefined) drawn.delete(oldest);
    ready();
  });
  return undefined;
}

function drawGround(lines: City, p: Projection, paint: Paint, scale: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(p.width * scale), Math.round(p.height * scale)];
  const ctx = canvas.getContext("2d");
  if (!ctx) return canvas;

  ctx.scale(scale, scale);
  ctx.fillStyle = paint.land;
  ctx.fillRect(0, 0, p.width, p.height);
  ctx.fillStyle = paint.tint ?? paint.land;
  ctx.fillRect(0, 0, p.width, p.height);

  // By the even-odd rule a ring within another is an island.
  ctx.fillStyle = paint.sea;
  ctx.beginPath();
  lines.sea.forEach((ring) => addToPath(ctx, p, ring));
  ctx.fill("evenodd");

  ctx.lineJoin = ctx.lineCap = "round";
  for (const group of ["streets", "mains", "trunks"] as const) {
    [ctx.strokeStyle, ctx.lineWidth] = paint[group];
    ctx.beginPath();
    lines[group].forEach((road) => addToPath(ctx, p, road));
    ctx.stroke();
  }
  return canvas;
}
