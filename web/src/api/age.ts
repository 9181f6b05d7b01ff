/**
 * How old data may be, in ms. What is older is stale: it is shown as it was, and
 * since when. A quarter of a second below the three that are promised, for drawing it.
 */
export const staleAfter = 2750;

/**
 * When a value was true, in ms of this browser's clock: the age of the data, not of
 * the answer that brought it. Undefined: nobody has said. A function is asked again
 * and again, for what changes too often to draw the page each time.
 */
export type TrueAt = number | undefined | (() => number | undefined);

export type Age = "fresh" | "stale" | "unknown";

export const read = (at: TrueAt): number | undefined => (typeof at === "function" ? at() : at);

export function ageOf(at: TrueAt, now = Date.now()): Age {
  const then = read(at);
  if (then === undefined) return "unknown";
  return now - then > staleAfter ? "stale" : "fresh";
}

/** When an answer was made by the server's clock, and when it was asked for by ours. */
export interface Answered {
  serverNow: number;
  askedAt: number;
}

/**
 * A time of the server's clock as one of this browser's. The two clocks may differ,
 * and an answer may be held up on its way, so it is taken to be as old as the
 * question.
 */
export function here(serverTime: number | string | null | undefined, { serverNow, askedAt }: Answered): number | undefined {
  if (serverTime === null || serverTime === undefined) return undefined;

  const at = typeof serverTime === "string" ? Date.parse(serverTime) : serverTime;
  return askedAt - Math.max(0, serverNow - at);
}

/** The older of two times: a value is as old as the older of what it was made from. */
export function older(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  return Math.min(a, b);
}
