import { useEffect, useRef, useState } from "react";
import { ageOf } from "../api/age";
import type { Heard } from "./heard";

export interface Series {
  at: number[]; // seconds since 1970
  value: (number | null)[]; // null: not known then, a gap in the line
}

const maxValues = 180; // three minutes, at one a second
const interval = 1000; // ms

/** The last minutes of the numbers that are drawn as a line, by name. */
export function useSeries(heard: Heard | undefined): Map<string, Series> {
  const series = useRef<Map<string, Series>>(new Map());
  const [shown, setShown] = useState<Map<string, Series>>(new Map());

  const latest = useRef(heard);
  useEffect(() => {
    latest.current = heard;
  });

  // Each second, not with each answer: while there is none the line has a gap.
  useEffect(() => {
    const timer = setInterval(() => {
      if (!latest.current) return;
      for (const [name, value] of valuesOf(latest.current, Date.now())) add(series.current, name, Date.now() / 1000, value);

      setShown(new Map(series.current)); // React draws again only for another map
    }, interval);

    return () => clearInterval(timer);
  }, []);

  return shown;
}

/** What is drawn of an overview at a time: null where it is stale or not known. */
export function valuesOf({ overview: o, at }: Heard, now: number): Map<string, number | null> {
  const fresh = (heardAt: number | undefined, value: number | null | undefined) => (ageOf(heardAt, now) === "fresh" ? (value ?? null) : null);

  return new Map([
    ...o.queues.map((q) => [`queue ${q.name}`, fresh(at(q.heard_at), q.visible === undefined ? null : q.visible + (q.in_flight ?? 0))] as const),
    ...o.readers.map((r) => [`reader ${r.reader}`, fresh(at(r.heard_at), r.behind_ms)] as const),
  ]);
}

function add(series: Map<string, Series>, name: string, at: number, value: number | null): void {
  const old = series.get(name) ?? { at: [], value: [] };
  series.set(name, { at: [...old.at, at].slice(-maxValues), value: [...old.value, value].slice(-maxValues) });
}
