import type { Frame } from "../api/frame";
import { placeAhead } from "./geo";
import { tailFor, Tails, type Fix } from "./tails";

export const silentAfter = 15_000; // ms without a fix after which a vehicle is no longer shown
const extrapolateFor = 2_500; // ms for which a vehicle is assumed to go on as it did
const correctWithin = 700; // ms in which the error of a guess fades out
const clockForward = 0.5; // weight of one frame in the estimate of the server's clock, where it has come sooner than the estimate says
const clockBack = 0.0005; // and where it has come later: only as fast as two clocks drift apart
const clockStep = 30_000; // ms apart from which one of the clocks was set

// A vehicle is one row of numbers: its last fix, then how to move to it smoothly.
// A speed or a heading that is not known is NaN.
const fields = 11;
const [LAT, LON, SPEED, HEADING, AT, ERROR_LAT, ERROR_LON, CORRECTED_FROM, TURNED_FROM] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;
const [ARRIVED, MOVES_FROM] = [9, 10] as const;

export interface Shown {
  lat: number;
  lon: number;
  heading?: number; // missing: not known
}

/**
 * Where vehicles are now. Between two fixes a vehicle is assumed to go on with
 * the speed and heading of the last one. When a new fix shows that the guess was
 * wrong, the vehicle does not jump: the error fades out.
 */
export class Fleet {
  private rows = new Map<number, number>(); // vehicle to row
  private freeRows: number[] = [];
  private data = new Float64Array(64 * fields);
  private tails = new Tails();
  /** For who wants no motion: each vehicle stands at its last fix until the next one comes. */
  still = false;
  private clockOffset = 0; // the server's clock less ours, ms
  private clockKnown = false;
  private heard: number | undefined; // up to when the stream was read, by the server's clock

  /** `silent`: ms without a fix after which a vehicle is no longer shown. */
  constructor(private readonly silent = silentAfter) {}

  /** Up to when the map has heard the stream, by our clock. Undefined: it never said. */
  get heardAt(): number | undefined {
    return this.heard === undefined ? undefined : this.heard - this.clockOffset;
  }

  get size(): number {
    return this.rows.size;
  }

  /** Applies a frame that came at `now`. */
  apply(frame: Frame, now: number): void {
    // The age of a fix is measured by the server's clock, as ours may be wrong.
    // A frame may be late, and never early: were the delay taken for a clock that is
    // behind, all cars would be shown where they were, and stale ones as fresh.
    const ahead = frame.serverTime - now - this.clockOffset;
    const weight = !this.clockKnown || Math.abs(ahead) > clockStep ? 1 : ahead > 0 ? clockForward : clockBack;
    this.clockOffset += ahead * weight;
    this.clockKnown = true;

    // Where nobody knows how far the map is behind, it is as old as when that was known.
    if (frame.behind !== undefined) this.heard = Math.max(this.heard ?? -Infinity, frame.serverTime - frame.behind);

    const missing = frame.all ? new Set(this.rows.keys()) : undefined;
    for (const v of frame.vehicles) {
      missing?.delete(v.id);

      // The stream may deliver a point again: never show an older one after a newer.
      const known = this.rows.get(v.id);
      if (known !== undefined && v.at <= this.value(known, AT)) continue;

      const before = known === undefined ? undefined : this.positionOf(known, now);
      const row = known ?? this.newRow(v.id);

      // A recorded fix may be years old, and its vehicle is on the map all the same:
      // it moves from when it arrived.
      const arrived = frame.serverTime - v.behind;
      const movesFrom = arrived - v.at > silentAfter ? arrived : v.at;
      this.data.set(
        [v.lat, v.lon, v.speed ?? NaN, v.heading ?? NaN, v.at, 0, 0, now, before?.heading ?? v.heading ?? NaN, arrived, movesFrom],
        row * fields,
      );
      this.tails.add(row, v.lat, v.lon, movesFrom);
      if (!before) continue;

      // The vehicle starts where it was shown, and moves to where it should be.
      const target = this.positionOf(row, now);
      this.data[row * fields + ERROR_LAT] = before.lat - target.lat;
      this.data[row * fields + ERROR_LON] = before.lon - target.lon;
    }

    missing?.forEach((id) => this.drop(id));
  }

  /**
   * Drops the vehicles of which no fix has arrived for too long, however old the last
   * one is: the stream was heard, without them. While the stream itself is silent
   * nothing is known of any vehicle, also not that it has gone.
   */
  sweep(): void {
    for (const [id, row] of this.rows) {
      if (this.heard !== undefined && this.heard - this.value(row, ARRIVED) > this.silent) this.drop(id);
    }
  }

  /** What is applied next is of another time: until then the vehicles are where they were, not heard from. */
  forget(): void {
    this.heard = undefined;
  }

  /** Drops all vehicles, and what was heard. */
  clear(): void {
    this.forget();
    for (const id of this.rows.keys()) this.drop(id);
  }

  /** When a vehicle's last fix arrived, by our clock. */
  fixAt(id: number): number | undefined {
    const row = this.rows.get(id);
    return row === undefined ? undefined : this.value(row, ARRIVED) - this.clockOffset;
  }

  /** A vehicle's speed in m/s, as its last fix has it; undefined: not known. */
  speedOf(id: number): number | undefined {
    const row = this.rows.get(id);
    const speed = row === undefined ? NaN : this.value(row, SPEED);
    return Number.isNaN(speed) ? undefined : speed;
  }

  forEach(now: number, show: (id: number, lat: number, lon: number, heading: number | undefined) => void): void {
    for (const [id, row] of this.rows) {
      const p = this.positionOf(row, now);
      show(id, p.lat, p.lon, p.heading);
    }
  }

  /** A vehicle's fixes of the last 8 s, the oldest first. */
  pointsOf(id: number, now: number): Fix[] {
    const row = this.rows.get(id);
    return row === undefined ? [] : this.tails.since(row, now + this.clockOffset - tailFor);
  }

  /** The way of each vehicle in the last 8 s, up to where it is shown now: `age` in ms, and whether a way begins. */
  forEachTail(now: number, show: (lat: number, lon: number, age: number, begins: boolean) => void): void {
    const serverNow = now + this.clockOffset;

    for (const row of this.rows.values()) {
      let begins = true;
      this.tails.trace(row, serverNow - tailFor, (lat, lon, at) => {
        show(lat, lon, serverNow - at, begins);
        begins = false;
      });

      const p = this.positionOf(row, now);
      if (!begins) show(p.lat, p.lon, 0, false);
    }
  }

  get(id: number, now: number): Shown | undefined {
    const row = this.rows.get(id);
    return row === undefined ? undefined : this.positionOf(row, now);
  }

  private positionOf(row: number, now: number): Shown {
    const fix = { lat: this.value(row, LAT), lon: this.value(row, LON) };
    const heading = this.value(row, HEADING);
    if (this.still) return { ...fix, heading: Number.isNaN(heading) ? undefined : heading };

    // Extrapolate from the fix, where it tells speed and heading. The time is
    // bounded: a vehicle that is silent for longer has probably stopped or turned.
    const age = Math.min(Math.max(now + this.clockOffset - this.value(row, MOVES_FROM), 0), extrapolateFor);
    const metres = (this.value(row, SPEED) * age) / 1000;
    const ahead = Number.isNaN(metres + heading) ? fix : placeAhead(fix, heading, metres);

    // What is left of the last guess's error: fast at first, then slower.
    const corrected = Math.min((now - this.value(row, CORRECTED_FROM)) / correctWithin, 1);
    const left = (1 - corrected) ** 2;

    return {
      lat: ahead.lat + this.value(row, ERROR_LAT) * left,
      lon: ahead.lon + this.value(row, ERROR_LON) * left,
      heading: Number.isNaN(heading) ? undefined : turned(this.value(row, TURNED_FROM), heading, 1 - left),
    };
  }

  private value(row: number, field: number): number {
    return this.data[row * fields + field] ?? 0;
  }

  private newRow(id: number): number {
    const row = this.freeRows.pop() ?? this.rows.size;

    if ((row + 1) * fields > this.data.length) {
      const wider = new Float64Array(this.data.length * 2);
      wider.set(this.data);
      this.data = wider;
    }

    this.rows.set(id, row);
    this.tails.clear(row); // the row may have been another vehicle's
    return row;
  }

  private drop(id: number): void {
    const row = this.rows.get(id);
    if (row === undefined) return;
    this.rows.delete(id);
    this.freeRows.push(row);
  }
}

/** The heading that is `part` of the way from one to another, the short way round. */
export function turned(from: number, to: number, part: number): number {
  const by = ((to - from + 540) % 360) - 180;
  return (from + by * part + 360) % 360;
}
