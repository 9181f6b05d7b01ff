import { useState, type CSSProperties } from "react";
import { short } from "../api/format";
import { ageOf } from "../api/age";
import classes from "./deck.module.css";
import { arriving, deletedOf, mostTravel, nothingArrives, type Worker } from "./strips";
import type { Heard } from "./use-summary";

const boxes = 4; // the workers that have room
const justNow = 2000; // ms; a delete is in two summaries while its dot dissolves
const tick = "M-5 .4 -1.6 3.9 5.4-4";
const [letter, digit] = [6.5, 7.7]; // px, how wide a label's are on the average

interface Props {
  heard: Heard | undefined;
  width: number;
  phone: boolean;
}

/** Booked, in one worker's hands, deleted: where each message is. */
export function QueueStrip({ heard, width, phone }: Props) {
  const all = heard?.summary.workers ?? [];
  const workers = all.slice(0, boxes);
  const g = geometry(width, phone, Math.max(workers.length, 2));
  const narrow = phone || width < 600; // no room for all words
  const waiting = heard?.summary.queue.waiting ?? 0;

  // Decided once for each summary.
  const [seen, setSeen] = useState({ heard, arrives: nothingArrives });
  if (seen.heard !== heard) setSeen({ heard, arrives: arriving(seen.arrives, workers) });
  const { arrives } = seen;

  return (
    <svg width={width} height={g.height} role="img" aria-label={heard ? nameOf(heard) : "Nothing is known of the queue yet"} className={classes.strip} data-testid="queue-strip">
      <line x1={0} x2={g.boxX} y1={g.middle} y2={g.middle} className={classes.track} />
      <text x={0} y={g.middle - 13} className={classes.label}>booked</text>
      {Array.from({ length: Math.min(waiting, 3) }, (_, i) => <circle key={i} cx={g.boxX - 14 - i * 18} cy={g.middle} r={phone ? 6 : 7} className={classes.dot} data-waiting />)}
      {waiting > 3 && <text x={0} y={g.middle + 20} className={classes.value}>{waiting} wait</text>}

      {arrives.all > mostTravel && <text x={g.boxX - 10} y={g.middle - 13} textAnchor="end" className={classes.value}>×{arrives.all}</text>}

      {workers.map((w, i) => <Box key={w.name} worker={w} heard={heard} row={i} g={g} travelUntil={arrives.until[w.name] ?? 0} />)}
      {all.length > boxes && <text x={g.doneX + 8} y={g.height - 2} className={classes.label}>{all.length - boxes} more {all.length - boxes === 1 ? "worker" : "workers"}</text>}
      {heard && <DeletedRow heard={heard} g={g} width={width} narrow={narrow} />}
    </svg>
  );
}

interface Geometry {
  height: number;
  boxX: number;
  boxW: number;
  doneX: number;
  middle: number;
  rowH: number;
  gap: number; // between the places of a box
}

function geometry(width: number, phone: boolean, rows: number): Geometry {
  // More workers share the same room: were the deck to grow, the map would shrink.
  const room = phone ? Math.max(54, rows * 20) : 82;
  const [rowH, height] = [room / rows, room + 4];
  const boxX = phone ? 64 : Math.min(112, width * 0.2);
  const boxW = phone ? Math.min(184, width - boxX - 88) : Math.min(336, Math.max(248, width * 0.53));
  return { height, boxX, boxW, doneX: boxX + boxW + 12, middle: height / 2 + 4, rowH, gap: boxW < 160 ? 12 : phone ? 15 : 18 };
}

interface BoxProps {
  worker: Worker;
  heard: Heard | undefined;
  row: number;
  g: Geometry;
  travelUntil: number; // those that come travel up to this place
}

/** One worker, with a place for each message that it may hold. */
function Box({ worker, heard, row, g, travelUntil }: BoxProps) {
  const [y, h] = [4 + row * g.rowH, g.rowH - (g.rowH < 24 ? 3 : 5)];
  const fresh = heard && ageOf(heard.at(worker.heard_at)) === "fresh";
  const known = worker.held !== null;
  const held = worker.held ?? 0;
  const places = known ? (worker.may_hold ?? held) : 0;
  const [left, right] = [g.boxX + (g.gap < 15 ? 8 : 12), g.boxX + g.boxW - (g.gap < 15 ? 11 : 16)];
  const label = labelOf(worker, right - ((worker.may_hold ?? 5) - 0.5) * g.gap - 4 - left);

  return (
    <g data-testid={`box-${worker.name}`} data-held={worker.held ?? "unknown"} data-age={fresh ? "fresh" : "stale"} className={classes.box}>
      <rect x={g.boxX} y={y} width={g.boxW} height={h} rx={6} />
      <text x={left} y={y + h / 2 + 4.5} className={classes.lesser}>
        {label.before}<tspan className={classes.value}>{label.name}</tspan>{label.after}{worker.pid ?? "?"}
      </text>
      {Array.from({ length: places }, (_, i) => {
        const at = { cx: right - (places - 1 - i) * g.gap, cy: y + h / 2 };
        if (i >= held) return <circle key={`free ${i}`} {...at} r={g.gap / 3.4} className={classes.place} />;

        return <Held key={`held ${i}`} {...at} r={g.gap / 3} fromY={g.middle} travels={i < travelUntil} />;
      })}
      {!known && <text x={right} y={y + h / 2 + 4.5} textAnchor="end" className={classes.label}>?</text>}
      {held > places && <text x={right + 10} y={y + h / 2 + 4.5} className={classes.label}>+{held - places}</text>}
    </g>
  );
}

/** What is said of a worker: as much as there is room for beside its places, whatever number its process has. */
function labelOf({ name }: Worker, room: number): { before?: string; name?: string; after?: string } {
  const pid = 7 * digit; // the longest there is
  const all = [{ before: "worker ", name: short(name), after: ", pid " }, { after: "worker, pid " }, { after: "pid " }];
  return all.find((l) => Object.values(l).join("").length * letter + pid <= room) ?? {};
}

/** A message in a worker's hands. One that comes while the page looks travels from where it was booked. */
function Held({ cx, cy, r, fromY, travels }: { cx: number; cy: number; r: number; fromY: number; travels: boolean }) {
  const [arrives] = useState(travels);
  const from = { "--from-x": `${8 - cx}px`, "--from-y": `${fromY - cy}px` } as CSSProperties;

  return <circle cx={cx} cy={cy} r={r} className={arrives ? `${classes.dot} ${classes.arrives}` : classes.dot} style={from} />;
}

/** A tick for each message that was deleted, the newest beside the workers. */
function DeletedRow({ heard, g, width, narrow }: { heard: Heard; g: Geometry; width: number; narrow: boolean }) {
  const all = deletedOf(heard.summary);
  const room = Math.max(1, Math.floor((width - g.doneX - 24) / 13));
  const shown = all.slice(0, room);
  const gap = Math.min(21, (width - g.doneX - 24) / Math.max(shown.length, 1));

  const fresh = all.filter((d) => d.age < justNow).map((d) => d.key);

  return (
    <g data-testid="deleted" data-count={heard.summary.deleted_ms_ago === null ? "unknown" : all.length}>
      {shown.map((d, i) => (
        <g key={d.key} transform={`translate(${(g.doneX + 14 + i * gap).toFixed(1)} ${g.middle})`}>
          <path d={tick} className={classes.tick} opacity={Math.max(0.14, 1 - d.age / 30_000).toFixed(2)} />
        </g>
      ))}
      {fresh.slice(0, Math.min(mostTravel, room)).map((key, i) => <circle key={`leaves ${key}`} cx={g.doneX + 14 + i * gap} cy={g.middle} r={6} className={`${classes.dot} ${classes.dissolves}`} />)}
      {fresh.length > mostTravel && <text x={g.doneX + 14} y={g.middle + 20} className={classes.value}>×{fresh.length}</text>}
      <text x={narrow ? width : g.doneX + 8} y={g.middle - 13} textAnchor={narrow ? "end" : "start"} className={classes.label}>
        {all.length > shown.length && `${all.length} `}{narrow ? "deleted" : "deleted in the last 30 s"}
      </text>
    </g>
  );
}

function nameOf({ summary: { queue, workers, deleted_ms_ago } }: Heard): string {
  const count = (n: number | null | undefined) => n ?? "an unknown number of";
  return `${count(queue.waiting)} messages wait, ${count(queue.in_flight)} are in flight at ${workers.length} workers, ${count(deleted_ms_ago?.length)} were deleted in the last 30 seconds`;
}
