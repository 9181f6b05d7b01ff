import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ComparedJobs, ComparedTeam } from "../api/types";
import { Answers, settling, type Side } from "./answers";
import { coloursOf, drawCars, drawHeat, Trails } from "./draw";
import { drawTiles } from "./tiles";

vi.mock("./ground", async (original) => ({ ...(await original<object>()), groundOf: () => undefined })); // the city is on its way

const box = { x: 0, y: 0, width: 270, height: 160 };
const colours = coloursOf("dark", "queue", false);

/** What a canvas was told to draw, in order. Nothing else of a canvas is here. */
function pen(alphas = false) {
  const told: (string | number)[][] = [];
  const note = (name: string) => (...args: (string | number)[]) => void told.push([name, ...args.map((a) => (typeof a === "number" ? Math.round(a) : a)), ...(alphas ? [Math.round((ctx as { globalAlpha: number }).globalAlpha * 100)] : [])]);
  const ctx: object = new Proxy({ globalAlpha: 1 } as Record<string, unknown>, { get: (of, name: string) => of[name] ?? note(name), set: (of, name: string, value) => { of[name] = value; return true; } });

  return { ctx: ctx as CanvasRenderingContext2D, told, count: (name: string) => told.filter(([n]) => n === name).length };
}

/** Two cars with two points each, 1 and 3 of the first, of which the map has these. */
function answersOf(has: number[], side: Side = "queue", team = 0): Answers {
  const a = new Answers();
  const rows = [1, 2, 3, 4].map((n) => [(n - 1) % 2, -34.886 - (n > 2 ? 0.004 : 0), -56.172 + (n % 2 ? 0.01 : -0.01), 90, 0]);
  for (const at of [0, settling]) {
    const teams: ComparedTeam[] = (["map", "history", "heatmap", "newcomer"] as const).map((name, i) => ({ name, joined_at: 0, generation: 1, count: 0, repeats: 0, last: 0, after: at && i === team ? has.length : 0, got: i === team && !at ? has : [] }));
    const none = teams.map((t) => ({ ...t, after: 0, got: [] }));
    a.join({
      state: "running", session: "a", at, started_at: 0, viewers: 1, yours: true, region: "", sent: 4, cars: 2, acts: [], points: { after: at ? 4 : 0, rows: at ? [] : rows }, cursor: "", more: false,
      queue: { via: "queue", after: 0, union: 0, overlap: 0, counted_at: 0, waiting: null, in_flight: null, teams: side === "queue" ? teams : none },
      stream: { through: 0, teams: side === "stream" ? teams : none },
    }, at);
  }
  return a;
}

describe("the map", () => {
  const drawn = (has: number[]) => {
    const a = answersOf(has);
    const p = pen();
    drawCars(p.ctx, a, a.tables.queue[0]!, box, colours);
    return p;
  };

  test("has an arrow for each car whose newest point the team has, and no ring", () => {
    const p = drawn([1, 2, 3, 4]);
    expect([p.count("closePath"), p.count("arc")]).toEqual([2, 0]);
  });

  test("has a ring where a car should be and its newest point was missed, with a line from where it is believed to be", () => {
    const p = drawn([1, 2, 4]);
    expect(p.count("closePath"), "arrows").toBe(1);
    expect(p.told.filter(([n]) => n === "arc" || n === "lineTo")).toEqual([
      ["lineTo", 158, 91], ["arc", 158, 80, 2, 0, 6], ["arc", 158, 91, 4, 0, 6],
      ...p.told.filter(([n]) => n === "lineTo").slice(1), // the arrow's own
    ]);
  });

  test("has a ring without a line for a car of which the team has nothing", () => {
    const p = drawn([2, 4]);
    expect([p.count("closePath"), p.told.filter(([n]) => n === "arc")]).toEqual([1, [["arc", 158, 91, 4, 0, 6]]]);
  });
});

describe("the history", () => {
  let p = pen(true);
  beforeEach(() => {
    p = pen(true);
    vi.stubGlobal("devicePixelRatio", 1);
    vi.stubGlobal("document", { createElement: () => ({ getContext: () => p.ctx }) });
  });
  afterEach(() => vi.unstubAllGlobals());

  const drawn = (has: number[], ghostsUpTo = 0) => {
    const a = answersOf(has, "queue", 1);
    new Trails().draw(a, a.tables.queue[1]!, box, colours, ghostsUpTo, 1.3);
    return p.told.filter(([n]) => n === "arc" || n === "lineTo");
  };

  test("has a dot for each point, and a line between two of one car", () => {
    expect(drawn([1, 2, 3, 4]).map(([n]) => n)).toEqual(["arc", "arc", "arc", "lineTo", "arc", "lineTo"]);
  });

  test("has no line over a point that was missed, and none between two cars", () => expect(drawn([2, 3]).map(([n]) => n)).toEqual(["arc", "arc"]));

  test("has the past that was read later as ghosts", () => {
    expect(drawn([1, 2, 3, 4], 2).filter(([n]) => n === "arc").map((a) => a.at(-1))).toEqual([50, 50, 90, 90]);
  });

  test("adds what is new to what it has drawn", () => {
    const trails = new Trails();
    for (const has of [[1, 2], [1, 2, 3]]) {
      const a = answersOf(has, "queue", 1);
      p.told.length = 0;
      trails.draw(a, a.tables.queue[1]!, box, colours, 0, 1.3);
      expect(p.count("arc"), "another table is drawn from its beginning").toBe(has.length);
      a.tables.queue[1]!.add([4]);
      trails.draw(a, a.tables.queue[1]!, box, colours, 0, 1.3);
      expect(p.count("arc")).toBe(has.length + 1);
    }
  });
});

test("the heatmap has a cell for each place with a point, of its own side alone, brighter where there are more", () => {
  const drawn = (side: Side, has: number[]) => {
    const p = pen(true);
    drawHeat(p.ctx, answersOf(has, "queue", 2), side, box, coloursOf("dark", side, false));
    return p.told.filter(([n]) => n === "fillRect").map(([, x, y, , , alpha]) => [x, y, alpha]);
  };

  expect(drawn("queue", [1, 2, 4])).toEqual([[151, 81, 100], [111, 81, 100], [111, 91, 100]]);
  expect(drawn("stream", [1, 2, 4])).toEqual([]);
});

describe("the tiles of the jobs", () => {
  const jobs = { sent: 40, queue: { done: [{ tile: 1, worker: 2, tries: 1 }], failed: { tile: 17, tries: 3, reason: "no cell" }, passed: true }, stream: { done: [], failed: { tile: 17, tries: 1, reason: "no cell" }, passed: false } } as unknown as ComparedJobs;
  const words = (side: Side) => {
    const p = pen();
    drawTiles(p.ctx, jobs, side, { x: 0, y: 0, width: 660, height: 474 }, "dark", false, () => undefined);
    return p.told.filter(([n]) => n === "fillText").map(([, text]) => text);
  };

  test("name who drew a tile, what became of the one that failed, and the number of each other", () => {
    const left = words("queue");
    expect(left).toHaveLength(40);
    expect([left[0], left[1], left[16], left[39]]).toEqual(["b", "2", "set aside", "40"]);
    expect([words("stream")[0], words("stream")[16]]).toEqual(["1", "stuck"]);
  });
});
