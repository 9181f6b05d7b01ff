import { start, zoomRange, type BaseMap, type BaseMapEvents } from "./base";
import { dark, light } from "./colours";
import { mercatorX, mercatorY, screenX, screenY, unproject, type Projection } from "./projection";

interface Feature {
  geometry: { type: string; coordinates: unknown };
  properties: { class?: string };
}

type Line = [number, number][];

/** Sea and roads on a 2D canvas, for browsers without WebGL 2. */
export function plainMap(container: HTMLElement, isDark: boolean, on: BaseMapEvents): BaseMap {
  const canvas = container.appendChild(document.createElement("canvas"));
  const pen = canvas.getContext("2d");
  let colours = isDark ? dark : light;
  let [x, y, zoom] = [mercatorX(start.lon), mercatorY(start.lat), start.zoom as number];
  let [sea, roads]: [Line[], Line[]] = [[], []];
  const projection = (): Projection => ({
    x, y, worldSize: 512 * 2 ** zoom, width: container.clientWidth, height: container.clientHeight,
  });

  const trace = (p: Projection, line: Line) =>
    line.forEach(([lon, lat], i) => (i ? pen?.lineTo(screenX(p, lon), screenY(p, lat)) : pen?.moveTo(screenX(p, lon), screenY(p, lat))));
  const draw = () => {
    const p = projection();
    const ratio = devicePixelRatio;
    [canvas.width, canvas.height] = [p.width * ratio, p.height * ratio];
    canvas.style.width = `${p.width}px`;
    canvas.style.height = `${p.height}px`;
    if (!pen) return;
    pen.scale(ratio, ratio);
    pen.fillStyle = colours.land;
    pen.fillRect(0, 0, p.width, p.height);
    pen.fillStyle = colours.sea;
    pen.beginPath();
    sea.forEach((ring) => trace(p, ring));
    pen.fill("evenodd");
    pen.strokeStyle = isDark ? colours.main : colours.casing;
    pen.lineWidth = zoom < 13 ? 1 : 2;
    pen.beginPath();
    roads.forEach((road) => trace(p, road));
    pen.stroke();
  };
  const moved = () => {
    draw();
    on.moved();
  };

  void load("sea").then((fs) => {
    sea = fs.flatMap((f) => (f.geometry.type === "Polygon" ? (f.geometry.coordinates as Line[]) : (f.geometry.coordinates as Line[][]).flat()));
    draw();
  });
  void load("roads").then((fs) => {
    const shown = fs.filter((f) => f.properties.class !== "path" && f.properties.class !== "service");
    roads = shown.flatMap((f) => (f.geometry.type === "LineString" ? [f.geometry.coordinates as Line] : (f.geometry.coordinates as Line[])));
    draw();
  });
  const watch = new ResizeObserver(moved);
  watch.observe(container);
  const zoomBy = (levels: number) => {
    zoom = Math.min(Math.max(zoom + levels, zoomRange.min), zoomRange.max);
    moved();
  };
  pan(canvas, () => projection().worldSize, (dx, dy) => {
    [x, y] = [x - dx, y - dy];
    moved();
  }, (px, py) => on.clicked(unproject(projection(), px, py)));
  canvas.addEventListener("wheel", (e) => {
    e.preventDefault();
    zoomBy(-Math.sign(e.deltaY) * 0.5);
  }, { passive: false });

  return {
    projection,
    zoomBy,
    fit(b, pad) {
      const p = projection();
      const wide = Math.max(mercatorX(b.east) - mercatorX(b.west), 1e-6);
      const high = Math.max(mercatorY(b.south) - mercatorY(b.north), 1e-6);
      const scale = Math.min((p.width - pad.left - pad.right) / wide, (p.height - pad.top - pad.bottom) / high);
      zoom = Math.min(Math.max(Math.log2(scale / 512), zoomRange.min), 16);
      const world = 512 * 2 ** zoom;
      x = (mercatorX(b.east) + mercatorX(b.west)) / 2 + (pad.right - pad.left) / 2 / world;
      y = (mercatorY(b.south) + mercatorY(b.north)) / 2 + (pad.bottom - pad.top) / 2 / world;
      moved();
    },
    setDark(now) {
      isDark = now;
      colours = now ? dark : light;
      draw();
    },
    remove() {
      watch.disconnect();
      canvas.remove();
    },
  };
}

async function load(name: string): Promise<Feature[]> {
  const answer = await fetch(`/city/map/${name}.json`);
  if (!answer.ok) return [];
  return ((await answer.json()) as { features: Feature[] }).features;
}

function pan(el: HTMLElement, worldSize: () => number, by: (dx: number, dy: number) => void, click: (x: number, y: number) => void): void {
  let from: { x: number; y: number; far: boolean } | undefined;
  el.style.touchAction = "none"; // a finger moves the map, not the page
  el.addEventListener("pointercancel", () => (from = undefined));
  el.addEventListener("pointerdown", (e) => {
    from = { x: e.offsetX, y: e.offsetY, far: false };
    el.setPointerCapture(e.pointerId);
  });
  el.addEventListener("pointermove", (e) => {
    if (!from) return;
    if (!from.far && Math.hypot(e.offsetX - from.x, e.offsetY - from.y) < 4) return;
    by((e.offsetX - from.x) / worldSize(), (e.offsetY - from.y) / worldSize());
    from = { x: e.offsetX, y: e.offsetY, far: true };
  });
  el.addEventListener("pointerup", (e) => {
    if (from && !from.far) click(e.offsetX, e.offsetY);
    from = undefined;
  });
}
