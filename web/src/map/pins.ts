import type { MapColours } from "./colours";
import { labelBox } from "./label";
import { screenX, screenY, type LatLon, type Projection } from "./projection";

/** A ring where the ride begins. */
export function drawPickup(ctx: CanvasRenderingContext2D, p: Projection, at: LatLon, colours: MapColours): void {
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
export function drawDropoff(ctx: CanvasRenderingContext2D, p: Projection, at: LatLon, colours: MapColours): void {
  const [x, y] = [screenX(p, at.lon), screenY(p, at.lat)];

  for (const [half, fill] of [[10, colours.carEdge], [8, colours.own], [3, colours.carEdge]] as const) {
    ctx.fillStyle = fill;
    ctx.fillRect(x - half, y - half, half * 2, half * 2);
  }
}

const longest = 28; // characters of a label: the panel has the whole address

/** A word beside a pin. */
export function drawLabel(ctx: CanvasRenderingContext2D, p: Projection, at: LatLon, text: string, other: LatLon | undefined, colours: MapColours): void {
  const letters = [...text];
  const shown = letters.length > longest ? `${letters.slice(0, longest - 1).join("")}…` : text;
  ctx.font = "600 15px 'Inter Variable', sans-serif";

  const width = ctx.measureText(shown).width + 20;
  const pixel = (place: LatLon) => ({ x: screenX(p, place.lon), y: screenY(p, place.lat) });
  const { left, top, height } = labelBox(pixel(at), { width, height: 30 }, other && pixel(other), p);

  ctx.beginPath();
  ctx.roundRect(left, top, width, height, 8);
  ctx.fillStyle = colours.over;
  ctx.fill();
  ctx.strokeStyle = colours.line;
  ctx.lineWidth = 1;
  ctx.stroke();
  ctx.fillStyle = colours.own;
  ctx.textBaseline = "middle";
  ctx.fillText(shown, left + 10, top + height / 2 + 0.5);
}
