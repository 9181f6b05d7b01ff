import { useCallback, useEffect, useRef, useState } from "react";
import { admin } from "../api/client";
import type { DeadLetters, OperationsAct } from "../api/types";
import type { Heard } from "./heard";

interface Known {
  data: DeadLetters | undefined; // the last answer, kept when a later question fails
  acts: OperationsAct[] | undefined;
  error: unknown;
  asking: boolean;
}

const movingInterval = 2000; // ms

/**
 * How many there are, as often as it is heard: of a queue by SQS, in flight, too, since
 * whoever looks holds them for a moment; and of the outbox the rows that are set aside.
 */
export function countsOf({ overview: { queues, rides } }: Heard): string {
  const dead = queues.filter((q) => q.dead).map((q) => (q.visible === undefined ? "?" : q.visible + (q.in_flight ?? 0)));
  return [...dead, rides?.outbox_set_aside ?? "?"].join(" ");
}

/**
 * The dead letters as somebody last looked. To look is to receive them, which costs a
 * request and hides them from others, so this asks once, again when the counts have
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
