import { paints } from "../tokens";
import type { MapColours } from "./colours";

/** Draws an arrowhead that points where the car drives, and a disc where that is not known. */
export function drawArrow(ctx: CanvasRenderingContext2D, x: number, y: number, heading: number | undefined, size: number, fill: string, edge: string): void {
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

/** How a vehicle's paint is drawn: muted, so that it is nobody's hue. Undefined for a colour that is not known. */
export const paintOf = (colour: string | undefined): string | undefined =>
  colour !== undefined && Object.hasOwn(paints, colour) ? paints[colour as keyof typeof paints] : undefined;

/** Draws a car as seen from above, `length` pixels long. */
export function drawCar(ctx: CanvasRenderingContext2D, x: number, y: number, heading: number, length: number, paint: string, colours: MapColours): void {
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate((heading * Math.PI) / 180);
  ctx.scale(length / 34, length / 34); // below, the car is 34 long and 16 wide

  // The front is rounder than the back. A halo keeps a black car off a black street.
  ctx.beginPath();
  ctx.roundRect(-8, -17, 16, 34, [7, 7, 5, 5]);
  ctx.lineWidth = 5;
  ctx.strokeStyle = colours.carEdge;
  ctx.stroke();
  ctx.lineWidth = 1.8;
  ctx.strokeStyle = colours.own;
  ctx.stroke();
  ctx.fillStyle = paint;
  ctx.fill();

  // The windscreen is wider than the rear window.
  ctx.fillStyle = paints.glass;
  ctx.beginPath();
  ctx.moveTo(-6, -7);
  ctx.quadraticCurveTo(0, -11, 6, -7);
  ctx.lineTo(5, -2);
  ctx.lineTo(-5, -2);
  ctx.closePath();
  ctx.fill();
  ctx.beginPath();
  ctx.roundRect(-5, 8, 10, 4, 1.5);
  ctx.fill();
  ctx.restore();
}
