import { dark, light, type MapColours } from "./colours";
import type { Fleet } from "./fleet";
import { screenX, screenY, type LatLon, type Projection } from "./projection";

/** What lies over the base map besides the fleet. */
export interface Scene {
  pickup?: LatLon | undefined;
  dropoff?: LatLon | undefined;
  route?: [number, number][] | undefined; // latitude, longitude
  mine?: number | undefined; // the vehicle that matters to who looks
  self?: (LatLon & { heading: number }) | undefined; // the driver who looks
}

/** Draws one picture of fleet and scene. */
export function drawScene(pen: CanvasRenderingContext2D, p: Projection, fleet: Fleet, scene: Scene, isDark: boolean, now: number): void {
  const c = isDark ? dark : light;
  pen.clearRect(0, 0, p.width, p.height);
  if (scene.route) drawRoute(pen, p, scene.route, c);
  const size = Math.min(Math.max(Math.log2(p.worldSize / 512) - 6.5, 4.5), 9);
  fleet.forEach(now, (id, lat, lon, heading) => {
    if (id === scene.mine) return;
    drawCar(pen, screenX(p, lon), screenY(p, lat), heading, size, c.car, c.carEdge);
  });
  if (scene.pickup) drawPin(pen, p, scene.pickup, c.pickup, c.carEdge, "A");
  if (scene.dropoff) drawPin(pen, p, scene.dropoff, c.dropoff, c.carEdge, "B");
  const seen = scene.mine === undefined ? undefined : fleet.get(scene.mine, now);
  const own = seen ?? scene.self; // the fleet moves smoothly, fixes do not
  if (own) {
    const [x, y] = [screenX(p, own.lon), screenY(p, own.lat)];
    const pulse = (now % 1600) / 1600;
    pen.beginPath();
    pen.arc(x, y, size * 1.6 + pulse * 14, 0, 2 * Math.PI);
    pen.fillStyle = withAlpha(c.mine, 0.32 * (1 - pulse));
    pen.fill();
    drawCar(pen, x, y, own.heading, size * 1.5, c.mine, c.carEdge);
  }
}

function drawCar(pen: CanvasRenderingContext2D, x: number, y: number, heading: number, size: number, fill: string, edge: string): void {
  pen.save();
  pen.translate(x, y);
  pen.rotate((heading * Math.PI) / 180);
  pen.beginPath();
  pen.moveTo(0, -size);
  pen.lineTo(size * 0.72, size * 0.85);
  pen.lineTo(0, size * 0.45);
  pen.lineTo(-size * 0.72, size * 0.85);
  pen.closePath();
  pen.lineJoin = "round";
  pen.lineWidth = 2.5;
  pen.strokeStyle = edge;
  pen.stroke();
  pen.fillStyle = fill;
  pen.fill();
  pen.restore();
}

function drawPin(pen: CanvasRenderingContext2D, p: Projection, at: LatLon, fill: string, edge: string, letter: string): void {
  const [x, y] = [screenX(p, at.lon), screenY(p, at.lat)];
  const r = 11;
  pen.beginPath();
  pen.arc(x, y - r * 2, r, Math.PI * 0.82, Math.PI * 0.18);
  pen.lineTo(x, y);
  pen.closePath();
  pen.fillStyle = fill;
  pen.strokeStyle = edge;
  pen.lineWidth = 2;
  pen.fill();
  pen.stroke();
  pen.fillStyle = edge;
  pen.font = "600 12px 'Inter Variable', sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(letter, x, y - r * 2 + 0.5);
}

function drawRoute(pen: CanvasRenderingContext2D, p: Projection, points: [number, number][], c: MapColours): void {
  pen.beginPath();
  points.forEach(([lat, lon], i) => (i ? pen.lineTo(screenX(p, lon), screenY(p, lat)) : pen.moveTo(screenX(p, lon), screenY(p, lat))));
  pen.lineJoin = pen.lineCap = "round";
  pen.strokeStyle = c.carEdge;
  pen.lineWidth = 8;
  pen.stroke();
  pen.strokeStyle = c.route;
  pen.lineWidth = 4.5;
  pen.stroke();
}

function withAlpha(hex: string, alpha: number): string {
  const n = Math.round(alpha * 255).toString(16).padStart(2, "0");
  return hex + n;
}
