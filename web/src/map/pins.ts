import type { MapColours } from "./colours";
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
const gap = 16; // pixels from the pin to its label

/** A word beside a pin: on the right, or on the left where the page ends there or the other pin lies. */
export function drawLabel(ctx: CanvasRenderingContext2D, p: Projection, at: LatLon, text: string, other: LatLon | undefined, colours: MapColours): void {
  const letters = [...text];
  const shown = letters.length > longest ? `${letters.slice(0, longest - 1).join("")}…` : text;
  ctx.font = "600 15px 'Inter Variable', sans-serif";

  const width = ctx.measureText(shown).width + 20;
  const [x, y] = [screenX(p, at.lon), screenY(p, at.lat)];
  const [otherX, otherY] = other ? [screenX(p, other.lon), screenY(p, other.lat)] : [-Infinity, -Infinity];
  const covers = otherX > x && otherX < x + gap * 2 + width && Math.abs(otherY - y) < 28;
  const left = covers || x + gap + width > p.width ? x - gap - width : x + gap;

  ctx.beginPath();
  ctx.roundRect(left, y - 15, width, 30, 8);
  ctx.fillStyle = colours.over;
  ctx.fill();
  ctx.strokeStyle = colours.line;
  ctx.lineWidth = 1;
  ctx.stroke();
  ctx.fillStyle = colours.own;
  ctx.textBaseline = "middle";
  ctx.fillText(shown, left + 10, y + 0.5);
}
