// What a column's canvas shows: the same drawing for each team on both sides. Only
// what the team has makes the difference.
import { drawArrow } from "../map/car";
import type { Projection } from "../map/projection";
import { city, page, type Scheme } from "../tokens";
import { newcomer, type Answers, type Side, type Table } from "./answers";
import { viewport } from "./ground";

/** The colours of a column. What is not of now has no hue. */
export interface Colours {
  mark: string;
  ring: string;
  paper: string;
  alive: boolean;
  ghost: number; // how opaque the past is that was read later
  outlined: boolean; // a pale cell would not be seen on this paper
}

export function coloursOf(scheme: Scheme, side: Side, stale: boolean): Colours {
  const p = page[scheme];
  return { mark: stale ? p.edge : p[side], ring: stale ? p.edge : p.text, paper: city[scheme].land, alive: !stale, ghost: scheme === "dark" ? 0.5 : 0.8, outlined: scheme === "light" };
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A picture that points are added to, so that a look draws only what is new. */
export class Trails {
  private canvas = document.createElement("canvas");
  private key = "";
  private drawn = new Set<number>(); // the first of the table's got

  /** Adds what has come, and returns the picture. */
  draw(answers: Answers, table: Table, box: Box, { mark, ghost }: Colours, ghostsUpTo: number, width: number): HTMLCanvasElement {
    const scale = Math.min(devicePixelRatio, 2);
    const key = JSON.stringify([box.width, box.height, scale, mark, ghostsUpTo]);
    if (key !== this.key || this.table !== table) {
      [this.canvas.width, this.canvas.height] = [Math.round(box.width * scale), Math.round(box.height * scale)];
      this.canvas.getContext("2d")?.scale(scale, scale);
      [this.key, this.table, this.drawn] = [key, table, new Set()];
    }

    const ctx = this.canvas.getContext("2d");
    if (ctx) addTrails(ctx, answers, table, this.drawn, viewport(box.width, box.height), { mark, ghost }, ghostsUpTo, width);
    return this.canvas;
  }

  private table: Table | undefined;
}

/**
 * Draws each point as a dot, and the line to the same car's neighbouring points where
 * the team has these as well: where one is missing there is no line.
 */
function addTrails(ctx: CanvasRenderingContext2D, { points }: Answers, table: Table, drawn: Set<number>, p: Projection, { mark, ghost }: Pick<Colours, "mark" | "ghost">, ghostsUpTo: number, width: number): void {
  const x = (n: number) => ((points.x[n - 1] ?? 0) - p.x) * p.worldSize + p.width / 2;
  const y = (n: number) => ((points.y[n - 1] ?? 0) - p.y) * p.worldSize + p.height / 2;
  ctx.strokeStyle = ctx.fillStyle = mark;
  ctx.lineCap = "round";

  for (const n of table.got.slice(drawn.size)) {
    if (n > points.length) break; // its place comes with the next answer

    const past = n <= ghostsUpTo;
    ctx.globalAlpha = past ? ghost : 0.9;
    ctx.lineWidth = past ? 1 : width;
    ctx.beginPath();
    ctx.arc(x(n), y(n), ctx.lineWidth * 0.75, 0, 2 * Math.PI);
    ctx.fill();

    for (const other of [points.before[n - 1] ?? 0, points.after[n - 1] ?? 0]) {
      if (!drawn.has(other)) continue; // of two neighbours the one that came later draws the line
      ctx.beginPath();
      ctx.moveTo(x(other), y(other));
      ctx.lineTo(x(n), y(n));
      ctx.stroke();
    }
    drawn.add(n);
  }
  ctx.globalAlpha = 1;
}

/**
 * Draws each car where it was at the newest point that must have arrived: an arrow
 * where the team has that point; where it has not, a ring where the car should be,
 * and a line to where the team believes it to be.
 */
export function drawCars(ctx: CanvasRenderingContext2D, answers: Answers, table: Table, box: Box, c: Colours): void {
  const p = viewport(box.width, box.height);
  const { points } = answers;
  const at = (n: number): [number, number] => [((points.x[n - 1] ?? 0) - p.x) * p.worldSize + p.width / 2, ((points.y[n - 1] ?? 0) - p.y) * p.worldSize + p.height / 2];

  for (const n of points.newest(answers.settled)) {
    const [x, y] = at(n);
    if (table.has.has(n)) {
      drawArrow(ctx, x, y, points.heading[n - 1], 5, c.alive ? c.mark : c.paper, c.alive ? c.paper : c.mark);
      continue;
    }

    let old = points.before[n - 1] ?? 0;
    while (old > 0 && !table.has.has(old)) old = points.before[old - 1] ?? 0;
    if (old > 0) lineTo(ctx, at(old), [x, y], c);

    ctx.beginPath();
    ctx.arc(x, y, 4.2, 0, 2 * Math.PI);
    ctx.fillStyle = c.paper;
    ctx.fill();
    ctx.strokeStyle = c.ring;
    ctx.lineWidth = 1.5;
    ctx.stroke();
  }
}

function lineTo(ctx: CanvasRenderingContext2D, from: [number, number], to: [number, number], c: Colours): void {
  ctx.strokeStyle = ctx.fillStyle = c.mark;
  ctx.lineWidth = 1.2;
  ctx.beginPath();
  ctx.moveTo(...from);
  ctx.lineTo(...to);
  ctx.stroke();
  ctx.beginPath();
  ctx.arc(...from, 2, 0, 2 * Math.PI);
  ctx.fill();
}

const columns = 27; // of cells, across a map

/** How many of a team's points lie in each cell of its map. */
function cells({ points }: Answers, table: Table, p: Projection): Map<number, number> {
  const size = p.width / columns;
  const count = new Map<number, number>();
  for (const n of table.got) {
    if (n > points.length) continue;
    const column = Math.floor((((points.x[n - 1] ?? 0) - p.x) * p.worldSize + p.width / 2) / size);
    const row = Math.floor((((points.y[n - 1] ?? 0) - p.y) * p.worldSize + p.height / 2) / size);
    if (column < 0 || column >= columns || row < 0) continue;

    const key = row * columns + column;
    count.set(key, (count.get(key) ?? 0) + 1);
  }
  return count;
}

/** Draws the heatmap. Both sides have one scale: what is darker has fewer points. */
export function drawHeat(ctx: CanvasRenderingContext2D, answers: Answers, side: Side, box: Box, c: Colours): void {
  const p = viewport(box.width, box.height);
  const [left, right] = (["queue", "stream"] as const).map((s) => cells(answers, answers.tables[s][2]!, p)) as [Map<number, number>, Map<number, number>];
  const counts = [...left.values(), ...right.values()].sort((a, b) => a - b);
  const full = counts[Math.floor(counts.length * 0.95)] ?? 1; // a crossing where all stand must not dim the others
  const size = p.width / columns;

  ctx.strokeStyle = ctx.fillStyle = c.mark;
  ctx.lineWidth = 1;
  for (const [key, n] of side === "queue" ? left : right) {
    const [column, row] = [key % columns, Math.floor(key / columns)];
    ctx.globalAlpha = 0.14 + 0.86 * Math.min(1, n / full) ** 0.6;
    ctx.fillRect(column * size + 0.5, row * size + 0.5, size - 1, size - 1);
    if (!c.outlined) continue;

    ctx.globalAlpha = 1;
    ctx.strokeRect(column * size + 1, row * size + 1, size - 2, size - 2);
  }
  ctx.globalAlpha = 1;
}

/** Up to which number a team's points are the past that it read later. */
export const ghostsOf = (answers: Answers, side: Side, team: number): number =>
  team === newcomer && side === "stream" ? (answers.latest?.stream?.teams[newcomer]?.joined_at ?? 0) : 0;
