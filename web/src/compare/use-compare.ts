import { useCallback, useEffect, useRef, useState } from "react";
import { compare, Problem, type Act } from "../api/client";
import { Answers } from "./answers";

const lookInterval = 1000; // ms; who is silent for six seconds no longer has the buttons
const lookTimeout = 5000; // ms
const refusedFor = 10_000; // ms for which a refusal stands in the place of the question

export interface Looking {
  answers: Answers;
  version: number; // rises with each answer: the answers change in place
  error: unknown; // of the last look
  refused: unknown; // of the last act
  acting: Act | undefined; // on its way
  act: (act: Act) => Promise<boolean>;
  lookNow: () => void;
}

/**
 * The name that this tab has among the viewers. A reload keeps it, and so the buttons. A
 * duplicated tab has it as well: both are one person's, who may press in either.
 */
function viewerName(): string {
  const key = "compare-viewer";
  const made = crypto.getRandomValues(new Uint32Array(4)).join("-");
  try {
    const known = sessionStorage.getItem(key);
    if (known) return known;
    sessionStorage.setItem(key, made);
  } catch {
    // A browser that keeps nothing has a new name with each load.
  }
  return made;
}

/** Looks at the session once a second, and not at all in a hidden tab. */
export function useCompare(): Looking {
  const [viewer] = useState(viewerName);
  const [answers] = useState(() => new Answers());
  const [version, setVersion] = useState(0);
  const [error, setError] = useState<unknown>();
  const [refused, setRefused] = useState<unknown>();
  const [acting, setActing] = useState<Act>();
  const now = useRef<() => void>(() => undefined);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    let asking: AbortController | undefined;
    let hurry = false;

    const look = async () => {
      clearTimeout(timer);
      if (asking || stopped || document.hidden) return;

      asking = new AbortController();
      const late = setTimeout(() => asking?.abort(), lookTimeout);
      let pause = lookInterval;
      const askedAt = Date.now();
      try {
        const answer = await compare.look(viewer, answers.cursor, asking.signal);
        if (stopped) return;

        // A list that was cut goes on at once; what does not fit is asked for anew.
        const fits = answers.join(answer, askedAt);
        if (!fits || answer.more) pause = 0;
        setError(undefined);
      } catch (e) {
        if (e instanceof Problem && e.status === 400) answers.clear(); // the cursor is none of this server's
        if (!stopped) setError(e);
      } finally {
        clearTimeout(late);
        asking = undefined;
        if (hurry) pause = 0;
        hurry = false;
      }

      setVersion((v) => v + 1);
      if (!stopped) timer = setTimeout(() => void look(), pause);
    };

    // A look that hangs is given up for a new one.
    now.current = () => {
      hurry = asking !== undefined;
      if (asking) asking.abort();
      else void look();
    };
    const seen = () => void look();
    document.addEventListener("visibilitychange", seen);
    void look();

    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [answers, viewer]);

  const act = useCallback(async (name: Act) => {
    setActing(name);
    setRefused(undefined);
    try {
      await compare.act(viewer, name);
      if (name === "restart") answers.startedOver = true;
      return true;
    } catch (e) {
      setRefused(e);
      return false;
    } finally {
      setActing(undefined);
      now.current();
    }
  }, [answers, viewer]);
  useEffect(() => {
    if (refused === undefined) return;
    const timer = setTimeout(() => setRefused(undefined), refusedFor);
    return () => clearTimeout(timer);
  }, [refused]);
  const lookNow = useCallback(() => now.current(), []);

  return { answers, version, error, refused, acting, act, lookNow };
}
