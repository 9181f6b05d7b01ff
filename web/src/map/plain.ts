import { closestFit, drawnWithin, start, tileSize, zoomRange, type BaseMap, type BaseMapHandlers } from "./base";
import { dark, light, type MapColours } from "./colours";
import { contains, keptWithin, mapped, mercatorX, mercatorY, screenX, screenY, unproject, type Bounds, type Projection } from "./projection";

interface Feature {
  geometry: { type: string; coordinates: unknown };
  properties: { class?: string };
}

type Line = [number, number][]; // longitude, latitude

const clickSlack = 4; // pixels

/** A base map of sea and roads on a 2D canvas, for browsers without WebGL 2. */
export function plainMap(container: HTMLElement, isDark: boolean, handlers: BaseMapHandlers): BaseMap {
  const canvas = container.appendChild(document.createElement("canvas"));
  const ctx = canvas.getContext("2d");
  let [x, y, zoom] = [mercatorX(start.lon), mercatorY(start.lat), start.zoom as number];
  let [sea, roads]: [Line[], Line[]] = [[], []];
  let limits: Bounds | undefined = mapped;

  const projection = (): Projection => ({
    x, y, worldSize: tileSize * 2 ** zoom, width: container.clientWidth, height: container.clientHeight,
  });
  const draw = () => {
    const p = projection();
    resize(canvas, p);
    if (ctx) drawGround(ctx, p, sea, roads, isDark, zoom < 13 ? 1 : 2);
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

  // Each file is drawn as soon as it has come: the sea need not wait for the roads.
  const seaDrawn = loadFeatures("sea").then((features) => {
    sea = features.flatMap((f) => (f.geometry.type === "Polygon" ? (f.geometry.coordinates as Line[]) : (f.geometry.coordinates as Line[][]).flat()));
    draw();
  });
  const roadsDrawn = loadFeatures("roads").then((features) => {
    const shown = features.filter((f) => f.properties.class !== "path" && f.properties.class !== "service");
    roads = shown.flatMap((f) => (f.geometry.type === "LineString" ? [f.geometry.coordinates as Line] : (f.geometry.coordinates as Line[])));
    draw();
  });

  // A file that does not come must not hide the vehicles for ever.
  let drawn = false;
  void Promise.allSettled([seaDrawn, roadsDrawn]).then(() => (drawn = true));
  const patience = setTimeout(() => (drawn = true), drawnWithin);

  const resized = new ResizeObserver(moved);
  resized.observe(container);

  const drag = (dx: number, dy: number) => {
    const { worldSize } = projection();
    [x, y] = [x - dx / worldSize, y - dy / worldSize];
    moved();
  };
  const click = (px: number, py: number) => handlers.onClicked(unproject(projection(), px, py));
  listenToPointer(canvas, drag, click);
  canvas.addEventListener("wheel", (e) => {
    e.preventDefault(); // the wheel zooms the map instead of scrolling the page
    zoomBy(-Math.sign(e.deltaY) * 0.5);
  }, { passive: false });

  return {
    drawn: () => drawn,
    projection,
    zoomBy,

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

function drawGround(ctx: CanvasRenderingContext2D, p: Projection, sea: Line[], roads: Line[], isDark: boolean, roadWidth: number): void {
  const colours: MapColours = isDark ? dark : light;
  ctx.scale(devicePixelRatio, devicePixelRatio);
  ctx.fillStyle = colours.land;
  ctx.fillRect(0, 0, p.width, p.height);

  // By the even-odd rule a ring within another is an island.
  ctx.fillStyle = colours.sea;
  ctx.beginPath();
  sea.forEach((ring) => addToPath(ctx, p, ring));
  ctx.fill("evenodd");

  // All roads are one path, so that they are stroked at once.
  ctx.strokeStyle = isDark ? colours.main : colours.casing;
  ctx.lineWidth = roadWidth;
  ctx.beginPath();
  roads.forEach((road) => addToPath(ctx, p, road));
  ctx.stroke();
}

function addToPath(ctx: CanvasRenderingContext2D, p: Projection, line: Line): void {
  line.forEach(([lon, lat], i) => (i ? ctx.lineTo(screenX(p, lon), screenY(p, lat)) : ctx.moveTo(screenX(p, lon), screenY(p, lat))));
}

/** The features of one of the city's files. Without the file the map shows less, but it works. */
async function loadFeatures(name: string): Promise<Feature[]> {
  const response = await fetch(`/city/map/${name}.json`);
  if (!response.ok) return [];
  return ((await response.json()) as { features: Feature[] }).features;
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
