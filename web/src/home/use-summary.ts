import { useEffect, useState } from "react";
import { here } from "../api/age";
import { viewer } from "../api/client";
import type { Summary } from "../api/types";

/** The last summary, and when what it says was true by this browser's clock. */
export interface Heard {
  summary: Summary;
  askedAt: number; // it is at most as old as this
  gatheredAt: number;
  at: (serverTime: number | string | null | undefined) => number | undefined;
}

const every = 1000; // ms; the server gathers once a second, for all who ask
const shortest = 200; // ms

/** Asks for the summary each second, just when there is a new one. A hidden tab asks nothing. */
export function useSummary(): { heard: Heard | undefined; error: unknown } {
  const [heard, setHeard] = useState<Heard>();
  const [error, setError] = useState<unknown>();

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking = false;
    let stopped = false;

    const ask = async () => {
      if (asking || document.hidden) return;
      asking = true;
      let pause = every;
      const askedAt = Date.now();
      try {
        const summary = await viewer.summary();
        if (stopped) return;
        const answered = { serverNow: Date.parse(summary.at), askedAt };
        const age = Date.parse(summary.at) - Date.parse(summary.gathered_at);
        setHeard({ summary, askedAt, gatheredAt: askedAt - age, at: (time) => here(time, answered) });
        setError(undefined);
        pause = pauseAfter(age);
      } catch (e) {
        if (stopped) return;
        setError(e);
      } finally {
        asking = false;
      }
      timer = setTimeout(() => void ask(), pause);
    };

    const look = () => {
      clearTimeout(timer);
      void ask();
    };
    look();
    document.addEventListener("visibilitychange", look);

    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);

  return { heard, error };
}

/** How long to wait after an answer that was gathered so many ms before it came: until the next is gathered. */
export const pauseAfter = (age: number): number => Math.min(Math.max(every - age + 20, shortest), every);
