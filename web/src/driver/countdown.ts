import type { DriverState } from "../api/types";

export type Offer = NonNullable<DriverState["offer"]>;

/** The time to answer an offer, by this browser's clock. */
export interface Countdown {
  ends: number; // ms
  whole: number; // ms, from the offer to its end
}

/**
 * The server's clock and this one may differ by a day: only how long the offer has yet
 * is taken from the server's. An answer that was held up is as old as the question, so
 * the time that is shown is never longer than the time that there is.
 */
export function countdownOf(offer: Pick<Offer, "made_at" | "expires_at" | "at">, askedAt: number): Countdown {
  const [made, expires, at] = [offer.made_at, offer.expires_at, offer.at].map(Date.parse) as [number, number, number];
  return { ends: askedAt + (expires - at), whole: Math.max(1, expires - made) };
}

/** Which part of the time is left, 1 to 0. */
export const leftOf = ({ ends, whole }: Countdown, now: number): number => Math.min(1, Math.max(0, (ends - now) / whole));
