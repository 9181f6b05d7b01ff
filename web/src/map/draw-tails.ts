import type { MapColours } from "./colours";
import type { Fleet } from "./fleet";
import { screenX, screenY, type Projection } from "./projection";
import { tailFor } from "./tails";

const bands = 8; // of a second each: a tail fades towards its end in as many steps

/** Draws where each car was in the last 8 s. The tails of one age are one path, as a stroke for each car would be slow. */
export function drawTails(ctx: CanvasRenderingContext2D, p: Projection, fleet: Fleet, colours: MapColours, now: number): void {
  const legs: number[][] = Array.from({ length: bands }, () => []);
  let fromX = 0;
  let fromY = 0;

  fleet.forEachTail(now, (lat, lon, age, begins) => {
    const x = screenX(p, lon);
    const y = screenY(p, lat);
    if (!begins) legs[Math.min(Math.max(Math.floor((age / tailFor) * bands), 0), bands - 1)]?.push(fromX, fromY, x, y);
    fromX = x;
    fromY = y;
  });

  ctx.strokeStyle = colours.car;
  ctx.lineCap = "butt"; // round ends would lie over each other, and show as beads
  legs.forEach((band, i) => {
    const left = 1 - i / bands;
    ctx.globalAlpha = left;
    ctx.lineWidth = 1 + 2 * left;
    ctx.beginPath();
    for (let j = 0; j < band.length; j += 4) {
      ctx.moveTo(band[j]!, band[j + 1]!);
      ctx.lineTo(band[j + 2]!, band[j + 3]!);
    }
    ctx.stroke();
  });
  ctx.globalAlpha = 1;
}
