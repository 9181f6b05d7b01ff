import type { Money, Place } from "./types";

const currency = (m: Money) =>
  new Intl.NumberFormat("en", { style: "currency", currency: m.currency, currencyDisplay: "narrowSymbol", trailingZeroDisplay: "stripIfInteger" });

export const money = (m: Money): string => `${currency(m).format(m.amount_minor / 100)} ${m.currency}`;

export const distance = (metres: number): string =>
  metres < 1000 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(1)} km`;

export const minutes = (seconds: number): string => `${Math.max(1, Math.round(seconds / 60))} min`;

export const clock = (iso: string): string => time(Date.parse(iso));

export const time = (ms: number): string => new Date(ms).toLocaleTimeString("en-GB");

export const day = (iso: string): string =>
  new Date(iso).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/** A day and a time to the second. */
export const moment = (iso: string): string =>
  new Date(iso).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/**
 * A text from outside with what would not be seen in it: a control character, one that
 * has no width, or one that turns the order of the letters round.
 */
export const visible = (text: string): string =>
  text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (c) => `⟨U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}⟩`);

// The space does not break, so that a number and its unit stay on one line.
export const milliseconds = (ms: number): string => (ms < 10_000 ? `${Math.round(ms)}\u00a0ms` : `${(ms / 1000).toFixed(1)}\u00a0s`);

export const hours = (seconds: number): string =>
  `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;

/** The two ends of a long id: enough to tell two ids apart. */
export const short = (id: string): string => (id.length > 14 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id);

export const whole = (n: number): string => n.toLocaleString("en");

/** A place's address, or its coordinates where it has none. */
export const placeName = (p: Place): string => p.label || `${p.lat.toFixed(5)}, ${p.lon.toFixed(5)}`;
