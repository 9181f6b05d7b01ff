import { closestFit, drawnWithin, start, tileSize, zoomRange, type BaseMap, type BaseMapHandlers } from "./base";
import { addressOf, type CityFile } from "./city-files";
import { dark, light, type MapColours } from "./colours";
import { boundsOf, contains, keptWithin, mapped, mercatorX, mercatorY, screenX, screenY, unproject, type Bounds, type Projection } from "./projection";
import { mains, streets, trunks, widthAt } from "./roads";

export type Line = [number, number][]; // longitude, latitude

/** The lines or rings of one class, each with the bounds that it lies in. */
type Shapes = { line: Line; bounds: Bounds }[];

interface Feature {
  geometry: { type: string; coordinates: unknown };
  properties: { class?: string } | null;
}

const clickSlack = 4; // pixels
const keyStep = 100; // pixels that an arrow key moves the map
const keys: Record<string, [number, number]> = { ArrowLeft: [keyStep, 0], ArrowRight: [-keyStep, 0], ArrowUp: [0, keyStep], ArrowDown: [0, -keyStep] };

/**
 * A base map of ground and roads on a 2D canvas. It is there long before MapLibre is,
 * and stays in a browser without WebGL 2.
 */
export function plainMap(container: HTMLElement, isDark: boolean, handlers: BaseMapHandlers, whenDrawn: () => void): Omit<BaseMap, "settled"> {
  const canvas = container.appendChild(document.createElement("canvas"));
  const ctx = canvas.getContext("2d");
  let [x, y, zoom] = [mercatorX(start.lon), mercatorY(start.lat), start.zoom as number];
  const shapes: Record<string, Shapes> = {}; // by class
  let limits: Bounds | undefined = mapped;

  const projection = (): Projection => ({
    x, y, worldSize: tileSize * 2 ** zoom, width: container.clientWidth, height: container.clientHeight,
  });

  // However often it is asked for, the map is drawn once a frame.
  let next = 0;
  const draw = () => {
    cancelAnimationFrame(next);
    next = requestAnimationFrame(() => {
      const p = projection();
      resize(canvas, p);
      if (ctx) drawCity(ctx, p, shapes, isDark ? dark : light, zoom);
    });
  };
  const moved = () => {
    if (limits) {
      const kept = keptWithin(projection(), limits);
      [x, y, zoom] = [kept.x, kept.y, Math.log2(kept.worldSize / tileSize)];
    }
    draw();
    handlers.onMoved();
  };
  const zoomBy = (levels: number) => {
    zoom = Math.min(Math.max(zoom + levels, zoomRange.min), zoomRange.max);
    moved();
  };

  // Each file is drawn as soon as it has come: the sea need not wait for the streets.
  const load = (file: CityFile, otherwise: string) =>
    loadFeatures(file).then((features) => {
      for (const f of features) (shapes[f.properties?.class ?? otherwise] ??= []).push(...shapesOf(f));
      draw();
    });
  const files = [load("sea", "sea"), load("mains", ""), load("streets", ""), load("areas", "")];

  // A file that does not come must not hide the vehicles for ever.
  let drawn = false;
  const done = () => {
    if (drawn) return;
    drawn = true;
    requestAnimationFrame(whenDrawn);
  };
  void Promise.allSettled(files).then(done);
  const patience = setTimeout(done, drawnWithin);

  const resized = new ResizeObserver(moved);
  resized.observe(container);

  const drag = (dx: number, dy: number) => {
    const { worldSize } = projection();
    [x, y] = [x - dx / worldSize, y - dy / worldSize];
    moved();
  };
  const click = (px: number, py: number) => handlers.onClicked(unproject(projection(), px, py));
  listenToPointer(canvas, drag, click);
  listenToKeys(canvas, drag, zoomBy);
  canvas.addEventListener("wheel", (e) => {
    e.preventDefault(); // the wheel zooms the map instead of scrolling the page
    zoomBy(-Math.sign(e.deltaY) * 0.5);
  }, { passive: false });

  return {
    drawn: () => drawn,
    projection,
    zoomBy,
    focus: () => canvas.focus({ preventScroll: true }),

    fit(b, padding) {
      limits = contains(mapped, b) ? mapped : undefined;
      const p = projection();

      // The lower bound keeps two equal places from dividing by zero.
      const wide = Math.max(mercatorX(b.east) - mercatorX(b.west), 1e-6);
      const high = Math.max(mercatorY(b.south) - mercatorY(b.north), 1e-6);
      const scale = Math.min((p.width - padding.left - padding.right) / wide, (p.height - padding.top - padding.bottom) / high);
      zoom = Math.min(Math.max(Math.log2(scale / tileSize), zoomRange.min), closestFit);

      // The bounds are centred in what the padding leaves, not in the whole canvas.
      const { worldSize } = projection();
      x = (mercatorX(b.east) + mercatorX(b.west)) / 2 + (padding.right - padding.left) / 2 / worldSize;
      y = (mercatorY(b.south) + mercatorY(b.north)) / 2 + (padding.bottom - padding.top) / 2 / worldSize;
      moved();
    },

    setDark(now) {
      isDark = now;
      draw();
    },

    remove() {
      clearTimeout(patience);
      cancelAnimationFrame(next);
      drawn = true; // nobody waits any more
      resized.disconnect();
      canvas.remove();
    },
  };
}

/** Sets the canvas to as many pixels as the screen has there, which also empties it. */
function resize(canvas: HTMLCanvasElement, p: Projection): void {
  [canvas.width, canvas.height] = [p.width * devicePixelRatio, p.height * devicePixelRatio];
  canvas.style.width = `${p.width}px`;
  canvas.style.height = `${p.height}px`;
}

/** Draws what style.ts describes for MapLibre, but for what is only seen close up. */
function drawCity(ctx: CanvasRenderingContext2D, p: Projection, shapes: Record<string, Shapes>, c: MapColours, zoom: number): void {
  const view = boundsOf(p);
  const path = (classes: string[]) => {
    ctx.beginPath();
    for (const name of classes) for (const { line, bounds } of shapes[name] ?? []) if (overlap(bounds, view)) addToPath(ctx, p, line);
  };
  const fill = (classes: string[], colour: string) => {
    ctx.fillStyle = colour;
    path(classes);
    ctx.fill("evenodd"); // a ring within another is an island
  };

  ctx.scale(devicePixelRatio, devicePixelRatio);
  ctx.fillStyle = c.land;
  ctx.fillRect(0, 0, p.width, p.height);
  for (const [name, colour] of [["park", c.park], ["pitch", c.park], ["beach", c.works], ["works", c.works], ["water", c.sea]] as const) fill([name], colour);
  fill(["sea"], c.sea);
  ctx.strokeStyle = c.shore;
  ctx.lineWidth = 1;
  ctx.stroke();

  for (const road of [streets, mains, trunks]) {
    if (zoom < road.minzoom) continue;
    path(road.classes);
    for (const [colour, width] of [[c.casing, road.casing], [c[road.colour], road.width]] as const) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = widthAt(width, zoom);
      ctx.stroke();
    }
  }
}

const overlap = (a: Bounds, b: Bounds): boolean => a.west <= b.east && b.west <= a.east && a.south <= b.north && b.south <= a.north;

export function addToPath(ctx: CanvasRenderingContext2D, p: Projection, line: Line): void {
  line.forEach(([lon, lat], i) => (i ? ctx.lineTo(screenX(p, lon), screenY(p, lat)) : ctx.moveTo(screenX(p, lon), screenY(p, lat))));
}

/** The lines of a feature, or the rings of an area. */
export function shapesOf(f: Feature): Shapes {
  const nesting = { LineString: 0, Polygon: 1, MultiLineString: 1, MultiPolygon: 2 }[f.geometry.type] ?? 0;
  const lines = nesting ? (f.geometry.coordinates as unknown[]).flat(nesting - 1) as Line[] : [f.geometry.coordinates as Line];

  return lines.map((line) => ({ line, bounds: boundsOfLine(line) }));
}

function boundsOfLine(line: Line): Bounds {
  const b = { west: Infinity, east: -Infinity, south: Infinity, north: -Infinity };
  for (const [lon, lat] of line) {
    if (lon < b.west) b.west = lon;
    if (lon > b.east) b.east = lon;
    if (lat < b.south) b.south = lat;
    if (lat > b.north) b.north = lat;
  }
  return b;
}

/** The features of one of the city's files. Without the file the map shows less, but it works. */
export async function loadFeatures(file: CityFile): Promise<Feature[]> {
  const response = await fetch(addressOf(file));
  if (!response.ok) return [];
  return ((await response.json()) as { features: Feature[] }).features;
}

function listenToKeys(el: HTMLElement, drag: (dx: number, dy: number) => void, zoomBy: (levels: number) => void): void {
  el.tabIndex = 0;
  el.setAttribute("role", "region");
  el.setAttribute("aria-label", "Map of Montevideo. The arrow keys move it, plus and minus zoom.");

  el.addEventListener("keydown", (e) => {
    const by = keys[e.key];
    if (by) drag(...by);
    else if (e.key === "+" || e.key === "=") zoomBy(1);
    else if (e.key === "-") zoomBy(-1);
    else return;
    e.preventDefault(); // the page does not scroll
  });
}

/** Tells a drag from a click: a pointer that has moved by less than `clickSlack` clicks. */
function listenToPointer(el: HTMLElement, drag: (dx: number, dy: number) => void, click: (x: number, y: number) => void): void {
  let from: { x: number; y: number; dragged: boolean } | undefined;
  el.style.touchAction = "none"; // a finger moves the map, not the page

  el.addEventListener("pointerdown", (e) => {
    from = { x: e.offsetX, y: e.offsetY, dragged: false };
    el.setPointerCapture(e.pointerId); // the drag goes on outside the map
  });

  el.addEventListener("pointermove", (e) => {
    if (!from) return;
    if (!from.dragged && Math.hypot(e.offsetX - from.x, e.offsetY - from.y) < clickSlack) return;

    drag(e.offsetX - from.x, e.offsetY - from.y);
    from = { x: e.offsetX, y: e.offsetY, dragged: true };
  });

  el.addEventListener("pointerup", (e) => {
    if (from && !from.dragged) click(e.offsetX, e.offsetY);
    from = undefined;
  });
  el.addEventListener("pointercancel", () => (from = undefined));
}
