// The answers of services/compare, joined to one picture. Each answer has what is new
// since the one before; what a page has read it keeps until the session ends.
import type { Comparison } from "../api/types";
import { mercatorX, mercatorY } from "../map/projection";

export type Side = "queue" | "stream";
export const sides: Side[] = ["queue", "stream"];
export const teamNames = { map: "Map", history: "History", heatmap: "Heatmap", newcomer: "New team" } as const;
export const newcomer = 3;

/** What one team has, as far as it has been read. */
export class Table {
  got: number[] = []; // numbers of points, in the order of their arrival
  has = new Set<number>();
  through = 0; // it has all from 1 to this number

  constructor(readonly generation = -1) {}

  add(numbers: number[]): void {
    for (const n of numbers) {
      this.got.push(n);
      this.has.add(n);
    }
    while (this.has.has(this.through + 1)) this.through++;
  }
}

/** The points that the tee sent. What is of number n stands at n - 1. */
export class Points {
  car: number[] = [];
  x: number[] = []; // Web Mercator, 0 to 1
  y: number[] = [];
  heading: (number | undefined)[] = [];
  before: number[] = []; // the number of the same car's point before; 0: none
  after: number[] = []; // and of the one after
  private readonly last: number[] = []; // by car
  private newestOf: { n: number; all: number[] } = { n: 0, all: [] };

  get length(): number {
    return this.car.length;
  }

  add([car, lat, lon, heading]: (number | null)[]): void {
    if (typeof car !== "number" || typeof lat !== "number" || typeof lon !== "number") throw new Error("a point without a place");

    const n = this.car.length + 1;
    const before = this.last[car] ?? 0;
    if (before > 0) this.after[before - 1] = n;
    this.last[car] = n;

    this.car.push(car);
    this.x.push(mercatorX(lon));
    this.y.push(mercatorY(lat));
    this.heading.push(heading ?? undefined);
    this.before.push(before);
    this.after.push(0);
  }

  /** The newest number up to n of each car. */
  newest(n: number): number[] {
    if (n !== this.newestOf.n) {
      const byCar: number[] = [];
      for (let i = 0; i < Math.min(n, this.length); i++) byCar[this.car[i] ?? 0] = i + 1;
      this.newestOf = { n, all: byCar.filter((at) => at > 0) };
    }
    return this.newestOf.all;
  }
}

// What was sent this long ago has arrived, but for a reader that is behind. Counts on
// the page are of then, so that a point on its way is not taken for one that is missed.
export const settling = 3000; // ms

type Step = "late" | "lose";

export class Answers {
  latest: Comparison | undefined;
  askedAt: number | undefined; // of the latest
  cursor = "";
  points = new Points();
  tables: Record<Side, Table[]> = emptyTables();
  settled = 0; // N as it was `settling` ago
  counts = false; // that is known: who comes late must look for so long first
  grownAt: number | undefined; // when N was last seen to grow, by this browser's clock
  renewed = false; // another session was looked at before this one, and nobody here has asked for a new one
  startedOver = false; // the next session is asked for
  took: Partial<Record<Step, number>> = {}; // ms at most until the stream's side had all again, as seen by this page

  private session = "";
  private sent: { at: number; n: number }[] = [];
  private began: Partial<Record<Step, number>> = {};

  /** Joins an answer, and reports whether it fits. If it does not, everything is to be asked for anew. */
  join(answer: Comparison, askedAt: number): boolean {
    if (answer.session && answer.session !== this.session) {
      this.renewed = this.session !== "" && !this.startedOver;
      this.startedOver = false;
      this.session = answer.session;
      this.clear();
    }

    const fits = this.fits(answer);
    if (fits) {
      this.read(answer);
      this.time(answer);
    } else {
      this.clear();
    }

    if ((answer.sent ?? 0) > (this.latest?.sent ?? -1) || answer.session !== this.latest?.session) this.grownAt = askedAt;
    [this.latest, this.askedAt] = [answer, askedAt];
    this.cursor = fits ? answer.cursor : "";
    return fits;
  }

  /** Forgets what was read, so that the next answer brings all of it. */
  clear(): void {
    [this.points, this.tables, this.cursor, this.settled, this.counts] = [new Points(), emptyTables(), "", 0, false];
    [this.sent, this.began, this.took] = [[], {}, {}];
  }

  // A list goes on where the last one ended, or begins anew with a generation. Rows
  // that are known already may come again.
  private fits(answer: Comparison): boolean {
    return (answer.points?.after ?? 0) <= this.points.length && sides.every((side) =>
      (answer[side]?.teams ?? []).every((team, i) => {
        const table = this.tables[side][i];
        return team.after <= (table?.generation === team.generation ? table.got.length : 0);
      }));
  }

  private read(answer: Comparison): void {
    for (const row of answer.points?.rows.slice(this.points.length - answer.points.after) ?? []) this.points.add(row);

    for (const side of sides) {
      answer[side]?.teams.forEach((team, i) => {
        let table = this.tables[side][i];
        if (table?.generation !== team.generation) this.tables[side][i] = table = new Table(team.generation);
        table.add(team.got.slice(table.got.length - team.after));
      });
    }

    this.sent.push({ at: answer.at, n: answer.sent });
    while (this.sent[1] && this.sent[1].at <= answer.at - settling) this.sent.shift();
    const [first] = this.sent;
    // Whatever is counted must have been read as well.
    if (first && first.at <= answer.at - settling) [this.settled, this.counts] = [Math.min(first.n, this.points.length), true];
    else if (answer.started_at >= answer.at - settling) this.counts = true; // there was no session then
  }

  /** Times how soon the stream's side has all, from the last answer that did not have the step. */
  private time(answer: Comparison): void {
    const right = answer.stream?.teams ?? [];
    const joined = right[newcomer]?.joined_at;
    const lost = right[2]?.lost;
    const done: Record<Step, boolean> = {
      late: typeof joined === "number" && (this.tables.stream[newcomer]?.through ?? 0) >= joined,
      lose: lost !== undefined && lost.again >= lost.before,
    };

    for (const step of ["late", "lose"] as const) {
      if (!answer.acts.includes(step)) this.began[step] = answer.at;
      const began = this.began[step];
      if (answer.acts.includes(step) && done[step] && began !== undefined) this.took[step] ??= answer.at - began;
    }
  }
}

const emptyTables = (): Record<Side, Table[]> => ({ queue: [0, 1, 2, 3].map(() => new Table()), stream: [0, 1, 2, 3].map(() => new Table()) });
