import { Problem } from "../api/client";
import type { PlaybackPage, PlayedPoint } from "../api/playback";

const mostKept = 50_000; // points that are here ahead of who plays them, and a page: memory is bounded, however large the fleet is
const askAgain = 1_000; // ms after a page without any point, which is not the last
const tryAgain = 2_000; // ms after a request that failed

type FetchPage = (after: string | undefined, gone: AbortSignal) => Promise<PlaybackPage>;

/** The points of a span, by arrival: fetched page by page, ahead of who takes them. */
export class Reel {
  /** All that arrived before this is here. */
  ready: number;
  done = false; // so is all of the span
  error: unknown; // of the last request
  private points: PlayedPoint[] = [];
  private next: string | undefined;
  private asking = false;
  private rest = 0; // ms before the next request, as the last answer has it
  private notBefore = -Infinity;
  private gone = new AbortController();

  constructor(readonly from: number, readonly to: number, private readonly fetchPage: FetchPage) {
    this.ready = from;
  }

  /** Asks for one more page at most, unless all until a time is here. */
  fetchAhead(until: number, now: number): void {
    // The rest is counted from the answer: the request itself may take long.
    if (this.rest > 0) this.notBefore = now + this.rest;
    this.rest = 0;

    if (this.asking || this.done || now < this.notBefore || this.ready >= until || this.points.length >= mostKept) return;
    this.asking = true;
    void this.fetch();
  }

  /** Removes and returns the points that arrived until a time. */
  take(until: number): PlayedPoint[] {
    const later = this.points.findIndex((p) => p.arrived > until);
    return this.points.splice(0, later < 0 ? this.points.length : later);
  }

  stop(): void {
    this.gone.abort();
  }

  private async fetch(): Promise<void> {
    try {
      this.add(await this.fetchPage(this.next, this.gone.signal));
      this.error = undefined;
    } catch (e) {
      // What was refused would be refused again.
      this.error = e;
      this.rest = e instanceof Problem && e.temporary ? tryAgain : Infinity;
    }
    this.asking = false;
  }

  private add({ points, next }: PlaybackPage): void {
    for (const p of points) this.points.push(p);
    this.next = next;
    this.done = next === undefined;
    this.ready = this.done ? this.to : (points.at(-1)?.arrived ?? this.ready);

    // History has not stored more yet.
    if (!this.done && points.length === 0) this.rest = askAgain;
  }
}
