import { useEffect, useRef, useState } from "react";
import type { Overview } from "../api/types";

/** The last minutes of some numbers, by name. */
export type Trail = Map<string, { at: number[]; value: number[] }>;

const kept = 180;

export function useTrail(data: Overview | undefined): Trail {
  const trail = useRef<Trail>(new Map());
  const [shown, setShown] = useState<Trail>(new Map());
  useEffect(() => {
    if (!data) return;
    const at = Date.parse(data.at) / 1000;
    for (const q of data.queues) add(trail.current, `queue ${q.name}`, at, q.visible + q.in_flight);
    for (const r of data.readers) add(trail.current, `reader ${r.reader}`, at, r.latency_ms.p50);
    setShown(new Map(trail.current));
  }, [data]);
  return shown;
}

function add(trail: Trail, name: string, at: number, value: number): void {
  const line = trail.get(name) ?? { at: [], value: [] };
  if (line.at.at(-1) === at) return;
  trail.set(name, { at: [...line.at, at].slice(-kept), value: [...line.value, value].slice(-kept) });
}
