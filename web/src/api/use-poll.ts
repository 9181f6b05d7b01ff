import { useEffect, useRef, useState } from "react";

export interface Poll<T> {
  data: T | undefined; // the last answer, kept when a later question fails
  error: unknown;
  askedAt: number; // when the last answer was asked for: it cannot be older than that
}

/** Asks again and again, one question at a time. It rests while `ask` is undefined. */
export function usePoll<T>(ask: (() => Promise<T>) | undefined, interval: number): Poll<T> {
  const [state, setState] = useState<Poll<T>>({ data: undefined, error: undefined, askedAt: 0 });

  // A reference, so that a new function does not start a new poll.
  const latestAsk = useRef(ask);
  useEffect(() => {
    latestAsk.current = ask;
  });

  const on = ask !== undefined;
  useEffect(() => {
    if (!on) return;
    let timer: ReturnType<typeof setTimeout>;
    let stopped = false;

    const poll = async () => {
      const askedAt = Date.now();
      try {
        const data = await latestAsk.current?.();
        if (!stopped) setState({ data, error: undefined, askedAt });
      } catch (error) {
        if (!stopped) setState((s) => ({ ...s, error }));
      }

      // The next question waits for this answer: a slow server is not asked twice at once.
      if (!stopped) timer = setTimeout(() => void poll(), interval);
    };
    void poll();

    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [on, interval]);

  return state;
}
