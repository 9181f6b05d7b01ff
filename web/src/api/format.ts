import type { Money } from './types';

export const money = (m: Money) =>
  new Intl.NumberFormat(undefined, { style: 'currency', currency: m.currency, minimumFractionDigits: 0 }).format(m.amount_minor / 100);

export const minutes = (seconds: number) => (seconds < 90 ? `${Math.max(1, Math.round(seconds / 60))} min` : `${Math.round(seconds / 60)} min`);

export const distance = (metres: number) => (metres < 950 ? `${Math.round(metres / 10) * 10} m` : `${(metres / 1000).toFixed(1)} km`);

export const clock = (iso: string) => new Date(iso).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export const ms = (n: number) => (n < 1000 ? `${Math.round(n)} ms` : `${(n / 1000).toFixed(1)} s`);

/** left tells a time span as "23 h 59 min". */
export function left(seconds: number): string {
  const h = Math.floor(seconds / 3600);
  const m = Math.floor((seconds % 3600) / 60);
  return h > 0 ? `${h} h ${m} min` : `${m} min`;
}

export const number = (n: number) => new Intl.NumberFormat().format(n);
