import type { PlaybackAsk } from "../api/client";
import type { PlaybackPage } from "../api/playback";
import type { Fleet } from "../map/fleet";
import { contains, type Bounds } from "../map/projection";
import { Reel } from "./reel";

export const silentFor = 30_000; // ms, played, without a point after which a car is no longer shown
export const speeds = [1, 5, 20, 60] as const;
export type Speed = (typeof speeds)[number];

// Of each driver as many points a second as can be seen, so that the pages stay small.
const steps: Record<Speed, number | undefined> = { 1: undefined, 5: 1, 20: 2, 60: 5 };
const longestSpan = 3_600_000; // ms that one request may ask for
const ahead = 10_000; // ms of the reader's own time that are fetched before they are played
const settled = 200; // ms after which somebody who seeks is taken to have arrived
const longestTick = 1_000; // ms: a tab that was hidden goes on where it was
const noticed = 500; // ms; a shorter wait is not worth a message

export interface Span {
  from: number; // ms of arrival
  to: number;
}

/** What the page says of the player. */
export interface Shown {
  at: number;
  span: Span | undefined;
  speed: Speed;
  playing: boolean;
  ended: boolean;
  waiting: boolean; // what would be shown is not here yet
  error: unknown;
}

/** Plays what history has kept into a fleet, by a clock of its own. */
export class Player {
  at = 0; // the time that is shown
  speed: Speed = 1;
  playing = false;
  private span: Span | undefined;
  private box: Bounds | undefined;
  private reel: Reel | undefined;
  private cleared = false; // the fleet has nothing of another reel
  private openFrom = 0; // by the reader's clock
  private now: number | undefined;
  private heldSince: number | undefined;
  private numbers = new Map<string, number>(); // of the drivers, for the fleet

  constructor(readonly fleet: Fleet, private readonly fetchPage: (ask: PlaybackAsk, gone: AbortSignal) => Promise<PlaybackPage>) {}

  /** Whether the map shows what the clock says. */
  get ready(): boolean {
    return this.reel !== undefined && this.reel.ready >= this.at;
  }

  shown(): Shown {
    const waiting = this.heldSince !== undefined && (this.now ?? 0) - this.heldSince >= noticed;
    return { at: this.at, span: this.span, speed: this.speed, playing: this.playing, ended: this.at === this.span?.to, waiting, error: this.reel?.error };
  }

  choose(span: Span): void {
    this.span = span;
    this.jump(span.from);
  }

  play(): void {
    if (this.span && this.at >= this.span.to) this.jump(this.span.from);
    this.playing = this.span !== undefined;
  }

  pause(): void {
    this.playing = false;
  }

  seek(at: number): void {
    if (this.span) this.jump(Math.min(Math.max(at, this.span.from), this.span.to), settled);
  }

  setSpeed(speed: Speed): void {
    this.speed = speed;
    this.reopen();
  }

  /** The time that the map shows. */
  readonly time = (): number => this.at;

  /** Where the map is. What lies half a view beyond is fetched as well, so that a car leaves where nobody sees it. */
  readonly setView = (view: Bounds): void => {
    if (this.box && contains(this.box, view)) return;

    const [x, y] = [(view.east - view.west) / 2, (view.north - view.south) / 2];
    this.box = {
      west: Math.max(view.west - x, -180), east: Math.min(view.east + x, 180),
      south: Math.max(view.south - y, -90), north: Math.min(view.north + y, 90),
    };
    this.reopen();
  };

  /** Fetches anew what is shown: after a while, where it may become something else meanwhile. */
  reopen(after = 0): void {
    this.reel?.stop();
    this.reel = undefined;
    this.openFrom = (this.now ?? 0) + after;
  }

  /** Goes on to a time of the reader's clock, in ms. */
  tick(now: number): void {
    const passed = Math.min(now - (this.now ?? now), longestTick);
    this.now = now;
    if (!this.span || !this.box) return;

    // The points before tell which cars there are, and where they came from.
    if (!this.reel && now >= this.openFrom) this.reel = this.open(this.at - silentFor, this.span, this.box);
    const want = this.playing ? Math.min(this.at + passed * this.speed, this.span.to) : this.at;
    const ready = this.reel?.ready ?? -Infinity;
    this.heldSince = want > ready ? (this.heldSince ?? now) : undefined;
    this.at = Math.max(this.at, Math.min(want, ready));
    if (this.at >= this.span.to) this.playing = false;

    if (!this.reel) return;
    this.reel.fetchAhead(this.at + ahead * this.speed, now);
    this.show(this.reel);

    // A span of an hour and what is before it are two requests.
    if (this.reel.done && this.at >= this.reel.to && this.at < this.span.to) {
      this.reel = this.open(this.at, this.span, this.box);
      this.cleared = true;
    }
  }

  private jump(at: number, after = 0): void {
    this.at = at;
    this.fleet.forget();
    this.reopen(after);
  }

  private open(from: number, span: Span, box: Bounds): Reel {
    const ask = { box, from: Math.round(from), to: Math.min(span.to, Math.round(from) + longestSpan), step: steps[this.speed] };
    this.cleared = false;
    return new Reel(ask.from, ask.to, (after, gone) => this.fetchPage({ ...ask, after }, gone));
  }

  /** Applies what has arrived by the time that is shown, each point at its own: as the live map would have had it. */
  private show(reel: Reel): void {
    if (!this.cleared && reel.ready > reel.from) {
      this.fleet.clear();
      this.cleared = true;
    }

    for (const { driver, arrived, ...fix } of reel.take(this.at)) {
      const id = this.numbers.get(driver) ?? this.numbers.size + 1;
      this.numbers.set(driver, id);
      this.fleet.apply({ all: false, serverTime: arrived, behind: 0, vehicles: [{ ...fix, id, behind: 0 }] }, arrived);
    }
    if (reel.ready >= this.at) this.fleet.apply({ all: false, serverTime: this.at, behind: 0, vehicles: [] }, this.at);
  }
}
