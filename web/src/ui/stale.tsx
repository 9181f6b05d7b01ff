import { VisuallyHidden } from "@mantine/core";
import { useCallback, useSyncExternalStore, type ReactNode } from "react";
import { ageOf, read, type Age, type TrueAt } from "../api/age";
import { time } from "../api/format";
import classes from "./stale.module.css";

const tickInterval = 100; // ms
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One clock for all values of a page. It stands still while nobody listens. */
function onTick(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => listeners.forEach((l) => l()), tickInterval);

  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The age of data. The component is drawn again when the age changes, not with each tick. */
export function useAge(at: TrueAt): Age {
  const age = useCallback(() => ageOf(at), [at]);
  return useSyncExternalStore(onTick, age, age);
}

/** Whole seconds since a time, drawn again with each. Undefined: there is no such time. */
export function useSeconds(at: TrueAt): number | undefined {
  const seconds = useCallback(() => {
    const then = read(at);
    return then === undefined ? undefined : Math.max(0, Math.floor((Date.now() - then) / 1000));
  }, [at]);
  return useSyncExternalStore(onTick, seconds, seconds);
}

/** Whole seconds until a time, 0 once it has passed. Undefined: there is no such time. */
export function useSecondsUntil(at: number | undefined): number | undefined {
  const seconds = useCallback(() => (at === undefined ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1000))), [at]);
  return useSyncExternalStore(onTick, seconds, seconds);
}

interface Props<T> {
  at: TrueAt;
  of: T | null | undefined; // null and undefined: not known, which is not zero
  children: (value: T, stale: boolean) => ReactNode;
  since?: boolean; // say beside it since when; else a neighbour says so, and this one on demand
}

/**
 * Every number that comes from a server stands in one of these. Fresh it is as it
 * is; stale it has an outline and the time since when; not known it is a "?".
 */
export function Stale<T>({ at, of, children, since = false }: Props<T>) {
  const age = useAge(at);
  if (of === null || of === undefined) {
    return (
      <span className={classes.unknown} data-age="unknown" title="not known yet">
        <span aria-hidden>?</span>
        <VisuallyHidden>not known yet</VisuallyHidden>
      </span>
    );
  }
  if (age === "fresh") return <span data-age={age}>{children(of, false)}</span>;

  const text = sinceText(at);

  return (
    <span className={classes.stale} data-age="stale" title={text}>
      {children(of, true)}
      {since ? <span className={classes.since}> {text}</span> : <VisuallyHidden>, {text}</VisuallyHidden>}
    </span>
  );
}

/** Since when a row of numbers is stale, or nothing. */
export function Since({ at }: { at: TrueAt }) {
  return useAge(at) === "stale" && <span className={classes.since} data-testid="since">{sinceText(at)}</span>;
}

export function sinceText(at: TrueAt): string {
  const then = read(at);
  return then === undefined ? "of an unknown time" : `stale since ${time(then)}`;
}
