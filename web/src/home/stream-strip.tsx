import { useReducedMotion } from "@mantine/hooks";
import { useEffect, useId, useRef } from "react";
import { staleAfter } from "../api/age";
import classes from "./deck.module.css";
import { cursors, delay, labelAt, lanePath, pointsOf, readThrough, seconds, shardName, span } from "./strips";
import type { Heard } from "./use-summary";

interface Props {
  heard: Heard | undefined;
  width: number;
  phone: boolean;
}

/** The last seconds of each shard, and how far each reader has come. Time runs to the right. */
export function StreamStrip({ heard, width, phone }: Props) {
  const clip = useId();
  const stream = heard?.summary.stream;
  const shards = stream?.shards ?? [];
  const [left, right, flag] = [phone ? 0 : 64, width - (phone ? 60 : 76), 18];
  const height = phone ? 76 : 86;
  const laneH = (height - flag) / Math.max(shards.length, 4);
  const pxPerMs = (right - left) / span;
  const { edge, back, unknown } = cursors(stream?.readers ?? []);
  const beside = [...edge, ...unknown.map((name) => `${name} ?`)];
  const named = beside.length > 4 ? [...beside.slice(0, 3), `and ${beside.length - 3}`] : beside;

  const lanes = useMovingLanes(heard, right, pxPerMs);

  return (
    <svg width={width} height={height} role="img" aria-label={heard ? nameOf(heard) : "Nothing is known of the stream yet"} className={classes.strip} data-testid="stream-strip">
      <clipPath id={clip}><rect x={left} y={0} width={right - left} height={height} /></clipPath>
      {Array.from({ length: Math.max(shards.length, 4) }, (_, i) => {
        const y = flag + (i + 0.5) * laneH;
        return <line key={i} x1={left} x2={right} y1={y} y2={y} className={classes.lane} data-known={i < shards.length} />;
      })}
      {!phone && laneH >= 14 && shards.map((s, i) => <text key={s.shard} x={0} y={flag + (i + 0.5) * laneH + 4.5} className={classes.lesser}>{shardName(s.shard)}</text>)}

      <g clipPath={`url(#${clip})`}>
        <g ref={lanes}>
          {stream && shards.map((s, i) => (
            <path
              key={s.shard} d={lanePath(s.bins, stream.bin_ms, pxPerMs, flag + (i + 0.5) * laneH, laneH - 2)} className={classes.points}
              data-testid={`lane-${s.shard}`} data-points={pointsOf(s)} data-through={s.through}
            />
          ))}
        </g>
      </g>

      {back.map(({ behind, text }) => {
        const x = Math.max(left, right - behind * pxPerMs);
        return (
          <g key={text}>
            <line x1={x} x2={x} y1={2} y2={height} className={classes.cursor} />
            <text {...labelAt(text, x, left, right)} y={11} className={classes.value}>{text}</text>
          </g>
        );
      })}
      <line x1={right} x2={right} y1={2} y2={height} className={edge.length > 0 ? classes.cursor : classes.edge} />
      {named.map((name, i) => <text key={name} x={right + 7} y={11 + i * 17} className={classes.value}>{name}</text>)}
      {named.length < 4 && <text x={right + 7} y={height - 2} className={classes.lesser}>1 s ago</text>}
    </svg>
  );
}

/**
 * Moves the lanes evenly with time, as a clock. With reduced motion they step with each
 * answer; they stand still where nothing more is heard.
 */
function useMovingLanes(heard: Heard | undefined, right: number, pxPerMs: number) {
  const lanes = useRef<SVGGElement>(null);
  const still = useReducedMotion();
  const offset = useRef<number>(undefined); // the server's clock less ours, ms

  useEffect(() => {
    const g = lanes.current;
    if (!g || !heard) return;
    const { stream, at } = heard.summary;

    // Smoothed, so that one late answer does not make time jump.
    const measured = Date.parse(at) - heard.askedAt;
    offset.current = offset.current === undefined || Math.abs(measured - offset.current) > 1000 ? measured : offset.current + (measured - offset.current) * 0.1;

    const through = readThrough(stream.shards);
    const move = () => {
      // Not beyond what is known, and not at all once that is stale.
      const edge = Math.min(Date.now() + (offset.current ?? 0) - delay, through + staleAfter - delay);
      g.setAttribute("transform", `translate(${(right - (edge - stream.end) * pxPerMs).toFixed(2)} 0)`);
    };
    move();
    if (still) return;

    let next = requestAnimationFrame(function each() {
      move();
      next = requestAnimationFrame(each);
    });
    return () => cancelAnimationFrame(next);
  }, [heard, right, pxPerMs, still]);

  return lanes;
}

function nameOf({ summary: { stream } }: Heard): string {
  const readers = stream.readers.map((r) => `${r.reader} ${r.behind_ms === null ? "an unknown time" : seconds(r.behind_ms)} behind`);
  return `${stream.shards.length} shards and ${stream.readers.length} readers: ${readers.join(", ")}`;
}
