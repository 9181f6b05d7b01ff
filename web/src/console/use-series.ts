import { useEffect, useRef, useState } from "react";
import type { Overview } from "../api/types";

export interface Series {
  at: number[]; // seconds since 1970
  value: number[];
}

const maxValues = 180; // three minutes, at one a second

/** The last minutes of the numbers that are drawn as a line, by name. */
export function useSeries(data: Overview | undefined): Map<string, Series> {
  const series = useRef<Map<string, Series>>(new Map());
  const [shown, setShown] = useState<Map<string, Series>>(new Map());

  useEffect(() => {
    if (!data) return;

    const at = Date.parse(data.at) / 1000;
    for (const q of data.queues) add(series.current, `queue ${q.name}`, at, q.visible + q.in_flight);
    for (const r of data.readers) add(series.current, `reader ${r.reader}`, at, r.latency_ms.p50);

    // React draws again only for another map.
    setShown(new Map(series.current));
  }, [data]);

  return shown;
}

function add(series: Map<string, Series>, name: string, at: number, value: number): void {
  const old = series.get(name) ?? { at: [], value: [] };
  if (old.at.at(-1) === at) return; // the console has answered with the same overview again

  series.set(name, { at: [...old.at, at].slice(-maxValues), value: [...old.value, value].slice(-maxValues) });
}
