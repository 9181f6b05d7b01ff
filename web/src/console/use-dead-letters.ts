import { useCallback, useEffect, useRef, useState } from "react";
import { admin } from "../api/client";
import type { DeadLetters, OperationsAct } from "../api/types";

interface Known {
  data: DeadLetters | undefined; // the last answer, kept when a later question fails
  acts: OperationsAct[] | undefined;
  error: unknown;
  asking: boolean;
}

const movingInterval = 2000; // ms

/**
 * The dead letters as somebody last looked. To look is to receive them, which costs a
 * request and hides them from others, so this asks once, again when SQS's counts have
 * changed, and when it is told to; while SQS moves them it asks how far that is.
 */
export function useDeadLetters(counts: string) {
  const [known, setKnown] = useState<Known>({ data: undefined, acts: undefined, error: undefined, asking: true });
  const asked = useRef(0);

  const look = useCallback(async () => {
    const mine = ++asked.current; // of two answers the later question's counts
    setKnown((k) => ({ ...k, asking: true }));

    try {
      const [data, { acts }] = await Promise.all([admin.deadLetters(), admin.acts()]);
      if (mine === asked.current) setKnown({ data, acts, error: undefined, asking: false });
    } catch (error) {
      if (mine === asked.current) setKnown((k) => ({ ...k, error, asking: false }));
    }
  }, []);

  useEffect(() => {
    void look();
  }, [look, counts]);

  const moving = known.data?.places.some((p) => p.moving?.status === "RUNNING" || p.moving?.status === "CANCELLING") ?? false;
  useEffect(() => {
    if (!moving || known.asking) return;
    const timer = setTimeout(() => void look(), movingInterval);
    return () => clearTimeout(timer);
  }, [moving, known, look]);

  return { ...known, look };
}
