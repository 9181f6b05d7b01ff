import { useComputedColorScheme } from "@mantine/core";
import { useCallback, useEffect, useRef, useState } from "react";
import type { Answers, Side } from "./answers";
import { coloursOf, drawCars, drawHeat, ghostsOf, Trails, type Box } from "./draw";
import { groundOf, mapPaint } from "./ground";
import { drawTiles } from "./tiles";
import classes from "./compare-page.module.css";

interface Props {
  answers: Answers;
  version: number; // of the answers
  side: Side;
  jobs: boolean; // the tiles instead of the maps
  stale: boolean;
  label: string;
}

const corner = 4; // px

/**
 * The one canvas of a column. It lies over the places of the maps, each of which is
 * an element with data-map. It is drawn once for each answer: nothing moves between.
 */
export function Picture({ answers, version, side, jobs, stale, label }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme("light");
  const [trails] = useState(() => [new Trails(), new Trails(), new Trails(), new Trails()]);
  const [again, setAgain] = useState(0);
  const redraw = useCallback(() => setAgain((n) => n + 1), []);

  useEffect(() => {
    const column = canvas.current?.parentElement;
    if (!column) return;

    const resized = new ResizeObserver(redraw);
    resized.observe(column);

    return () => resized.disconnect();
  }, [redraw]);

  useEffect(() => {
    const el = canvas.current;
    const column = el?.parentElement;
    const ctx = el?.getContext("2d");
    if (!el || !column || !ctx || document.hidden) return;

    fit(el, ctx, column);
    for (const place of column.querySelectorAll<HTMLElement>("[data-map]")) {
      const box = { x: place.offsetLeft, y: place.offsetTop, width: place.offsetWidth, height: place.offsetHeight };
      if (box.width === 0 || box.height === 0) continue; // not shown on a phone

      ctx.save();
      clip(ctx, box);
      if (jobs) drawTiles(ctx, answers.latest?.jobs, side, box, scheme, stale, redraw);
      else drawTeam(ctx, Number(place.dataset["map"]), box);
      ctx.restore();
    }

    function drawTeam(pen: CanvasRenderingContext2D, team: number, box: Box): void {
      const ground = groundOf(box.width, box.height, mapPaint(scheme), redraw);
      if (ground) pen.drawImage(ground, 0, 0, box.width, box.height);

      const table = answers.tables[side][team];
      const c = coloursOf(scheme, side, stale);
      if (!table) return;
      if (team === 0) drawCars(pen, answers, table, box, c);
      else if (team === 2) drawHeat(pen, answers, side, box, c);
      else pen.drawImage(trails[team]!.draw(answers, table, box, c, ghostsOf(answers, side, team), team === 3 ? 2 : 1.3), 0, 0, box.width, box.height);
    }
  }, [answers, version, side, jobs, stale, scheme, again, trails, redraw]);

  return <canvas ref={canvas} className={classes.canvas} role="img" aria-label={label} data-testid={`${side}-canvas`} />;
}

/** Sets the canvas to as many pixels as the screen has there, which also empties it. */
function fit(el: HTMLCanvasElement, ctx: CanvasRenderingContext2D, column: HTMLElement): void {
  const scale = Math.min(devicePixelRatio, 2);
  [el.width, el.height] = [Math.round(column.offsetWidth * scale), Math.round(column.offsetHeight * scale)];
  ctx.scale(scale, scale);
}

function clip(ctx: CanvasRenderingContext2D, box: Box): void {
  ctx.translate(box.x, box.y);
  ctx.beginPath();
  ctx.roundRect(0, 0, box.width, box.height, [corner, corner, 0, 0]);
  ctx.clip();
}
