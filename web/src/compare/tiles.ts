import type { ComparedJobs } from "../api/types";
import { city, page, type as sizes, type Scheme } from "../tokens";
import type { Side } from "./answers";
import type { Box } from "./draw";
import { groundOf, mapPaint, tilePaint } from "./ground";

const columns = 8;
const rows = 5;
const workers = ["a", "b", "c", "d"];

export const workerName = (worker: number): string => workers[worker - 1] ?? String(worker);

/** The city in tiles: each job that is done has drawn its own, in its side's hue. */
export function drawTiles(ctx: CanvasRenderingContext2D, jobs: ComparedJobs | undefined, side: Side, box: Box, scheme: Scheme, stale: boolean, ready: () => void): void {
  const p = page[scheme];
  const of = jobs?.[side];
  const [width, height] = [box.width / columns, box.height / rows];
  const ground = groundOf(box.width, box.height, stale ? mapPaint(scheme) : tilePaint(scheme, side), ready);
  const done = new Map(of?.done.map((d) => [d.tile, d]));

  ctx.fillStyle = p.surface;
  ctx.fillRect(0, 0, box.width, box.height);
  ctx.font = `${sizes[13].weight} 13px "Inter Variable", sans-serif`;
  for (let tile = 1; tile <= columns * rows; tile++) {
    const [x, y] = [((tile - 1) % columns) * width, Math.floor((tile - 1) / columns) * height];
    const job = done.get(tile);
    ctx.save();
    ctx.translate(x, y);
    ctx.beginPath();
    ctx.rect(0, 0, width, height);
    ctx.clip();

    if (job && ground) {
      const scale = ground.width / box.width;
      ctx.drawImage(ground, x * scale, y * scale, width * scale, height * scale, 0, 0, width, height);
    }
    ctx.strokeStyle = job ? p.ground : p.line;
    ctx.lineWidth = 1;
    ctx.strokeRect(0.5, 0.5, width - 1, height - 1);
    if (job) drawDone(ctx, side === "queue" ? workerName(job.worker) : "", width, height, stale ? p.text2 : p[`${side}-text`], city[scheme].halo);
    else if (of?.failed?.tile === tile) drawFailed(ctx, failedWord(side, of.passed), width, height, stale ? p.text2 : p.fault, p.ground);
    else drawNumber(ctx, tile, height, p.text2);
    ctx.restore();
  }
}

/** What became of the job that cannot be done. */
export const failedWord = (side: Side, passed: boolean): string =>
  side === "queue" ? (passed ? "set aside" : "tried again") : passed ? "skipped" : "stuck";

function drawDone(ctx: CanvasRenderingContext2D, by: string, width: number, height: number, colour: string, paper: string): void {
  const named = by && width > 48;
  const label = named ? 36 : 22;
  ctx.fillStyle = paper;
  ctx.beginPath();
  ctx.roundRect(width - label - 4, height - 23, label, 19, 4);
  ctx.fill();

  ctx.fillStyle = ctx.strokeStyle = colour;
  if (named) ctx.fillText(by, width - label + 1, height - 9);
  ctx.lineWidth = 2;
  ctx.lineCap = ctx.lineJoin = "round";
  ctx.beginPath();
  ctx.moveTo(width - 20, height - 14);
  ctx.lineTo(width - 16, height - 10);
  ctx.lineTo(width - 9, height - 18);
  ctx.stroke();
}

function drawFailed(ctx: CanvasRenderingContext2D, word: string, width: number, height: number, fault: string, paper: string): void {
  ctx.fillStyle = paper;
  ctx.fillRect(1, 1, width - 2, height - 2);
  ctx.strokeStyle = fault;
  ctx.lineWidth = 2;
  ctx.strokeRect(2, 2, width - 4, height - 4);

  const [middle, top, half] = [width / 2, height / 2 - (width > 70 ? 12 : 0), 9];
  ctx.lineWidth = 3;
  ctx.lineCap = "round";
  ctx.beginPath();
  ctx.moveTo(middle - half, top - half);
  ctx.lineTo(middle + half, top + half);
  ctx.moveTo(middle + half, top - half);
  ctx.lineTo(middle - half, top + half);
  ctx.stroke();

  if (width <= 70) return; // the words beneath the picture say it there
  ctx.fillStyle = fault;
  ctx.textAlign = "center";
  ctx.fillText(word, middle, height / 2 + 20);
}

function drawNumber(ctx: CanvasRenderingContext2D, tile: number, height: number, colour: string): void {
  ctx.fillStyle = colour;
  ctx.fillText(String(tile), 7, height - 8);
}
