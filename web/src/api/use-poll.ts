import { useEffect, useRef, useState } from "react";

/** Asks again and again, one question at a time; keeps the last answer when one fails. */
export function usePoll<T>(ask: (() => Promise<T>) | undefined, every: number): { data: T | undefined; error: unknown; at: number } {
  const [state, setState] = useState<{ data: T | undefined; error: unknown; at: number }>({ data: undefined, error: undefined, at: 0 });
  const latest = useRef(ask);
  useEffect(() => {
    latest.current = ask;
  });
  const on = ask !== undefined;
  useEffect(() => {
    if (!on) return;
    let timer: ReturnType<typeof setTimeout>;
    let gone = false;
    const next = async () => {
      try {
        const data = await latest.current?.();
        if (!gone) setState({ data, error: undefined, at: Date.now() });
      } catch (error) {
        if (!gone) setState((s) => ({ ...s, error }));
      }
      if (!gone) timer = setTimeout(() => void next(), every);
    };
    void next();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [on, every]);
  return state;
}
