import type { Frame } from "../api/frame";

export const silentAfter = 15_000; // ms after which a vehicle is no longer shown
const reckonFor = 2_500; // ms that a vehicle is thought to go on as it did
const settle = 700; // ms in which a wrong guess is put right
const metresPerDegree = 111_320;

const fields = 9;
const [LAT, LON, SPEED, HEADING, AT, OFF_LAT, OFF_LON, OFF_SINCE, TURN_FROM] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;

export interface Shown {
  lat: number;
  lon: number;
  heading: number;
}

/**
 * Where vehicles are now: reckoned on from the last fix by speed and heading.
 * When a new fix tells better, the error fades out instead of jumping.
 */
export class Fleet {
  private rows = new Map<number, number>();
  private free: number[] = [];
  private data = new Float64Array(64 * fields);
  private ahead = 0; // server's clock less ours, ms
  private timed = false;

  get size(): number {
    return this.rows.size;
  }

  /** Takes in a frame that came at `now`. */
  apply(frame: Frame, now: number): void {
    const ahead = frame.serverTime - now;
    this.ahead = this.timed ? this.ahead + (ahead - this.ahead) * 0.1 : ahead;
    this.timed = true;
    const gone = frame.all ? new Set(this.rows.keys()) : undefined;
    for (const v of frame.vehicles) {
      gone?.delete(v.id);
      const known = this.rows.get(v.id);
      if (known !== undefined && v.at <= this.value(known, AT)) continue; // never an older point after a newer
      const before = known === undefined ? undefined : this.at(known, now);
      const row = known ?? this.newRow(v.id);
      this.data.set([v.lat, v.lon, v.speed, v.heading, v.at, 0, 0, now, before?.heading ?? v.heading], row * fields);
      if (!before) continue;
      const guess = this.at(row, now);
      this.data[row * fields + OFF_LAT] = before.lat - guess.lat;
      this.data[row * fields + OFF_LON] = before.lon - guess.lon;
    }
    gone?.forEach((id) => this.drop(id));
  }

  /** Forgets vehicles that have been silent for long. */
  sweep(now: number): void {
    for (const [id, row] of this.rows) {
      if (now + this.ahead - this.value(row, AT) > silentAfter) this.drop(id);
    }
  }

  forEach(now: number, show: (id: number, lat: number, lon: number, heading: number) => void): void {
    for (const [id, row] of this.rows) {
      const s = this.at(row, now);
      show(id, s.lat, s.lon, s.heading);
    }
  }

  get(id: number, now: number): Shown | undefined {
    const row = this.rows.get(id);
    return row === undefined ? undefined : this.at(row, now);
  }

  clear(): void {
    for (const id of [...this.rows.keys()]) this.drop(id);
  }

  private at(row: number, now: number): Shown {
    const lat = this.value(row, LAT);
    const heading = this.value(row, HEADING);
    const age = Math.min(Math.max(now + this.ahead - this.value(row, AT), 0), reckonFor);
    const metres = (this.value(row, SPEED) * age) / 1000;
    const angle = (heading * Math.PI) / 180;
    const done = Math.min((now - this.value(row, OFF_SINCE)) / settle, 1);
    const left = (1 - done) ** 2;
    return {
      lat: lat + (metres * Math.cos(angle)) / metresPerDegree + this.value(row, OFF_LAT) * left,
      lon:
        this.value(row, LON) +
        (metres * Math.sin(angle)) / (metresPerDegree * Math.cos((lat * Math.PI) / 180)) +
        this.value(row, OFF_LON) * left,
      heading: turned(this.value(row, TURN_FROM), heading, 1 - left),
    };
  }

  private value(row: number, field: number): number {
    return this.data[row * fields + field] ?? 0;
  }

  private newRow(id: number): number {
    const row = this.free.pop() ?? this.rows.size;
    if ((row + 1) * fields > this.data.length) {
      const wider = new Float64Array(this.data.length * 2);
      wider.set(this.data);
      this.data = wider;
    }
    this.rows.set(id, row);
    return row;
  }

  private drop(id: number): void {
    const row = this.rows.get(id);
    if (row === undefined) return;
    this.rows.delete(id);
    this.free.push(row);
  }
}

/** The heading `part` of the way from one to another, the short way round. */
export function turned(from: number, to: number, part: number): number {
  const by = ((to - from + 540) % 360) - 180;
  return (from + by * part + 360) % 360;
}
