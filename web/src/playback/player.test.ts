import { expect, test } from "vitest";
import type { PlaybackAsk } from "../api/client";
import type { PlaybackPage } from "../api/playback";
import { Fleet } from "../map/fleet";
import { Player, silentFor, speeds } from "./player";

const from = 1_800_000_000_000;
const minute = 60_000;
const view = { west: -56.2, south: -34.92, east: -56.1, north: -34.88 };
const answered = () => new Promise((resolve) => setTimeout(resolve));

/** Where a car that drives north was. */
const latAt = (t: number) => -34.9 + (t - from) / 1e8;

/** History of one driver, with a point each second from `begins` to `ends`, and stored until `stored`. */
function history({ begins = from - minute, ends = Infinity, stored = Infinity } = {}) {
  const asks: PlaybackAsk[] = [];
  const kept = { stored };
  const fetchPage = (ask: PlaybackAsk): Promise<PlaybackPage> => {
    asks.push(ask);
    const step = (ask.step ?? 1) * 1000;
    const [first, last] = [Number(ask.after ?? ask.from), Math.min(ask.to, kept.stored)];

    const points = [];
    for (let t = Math.ceil(Math.max(first, begins) / step) * step; t < Math.min(last, ends) && points.length < 100; t += step) {
      points.push({ driver: "d", lat: latAt(t), lon: -56.15, speed: 1.1, heading: 0, at: t, arrived: t });
    }
    const reached = points.length === 100 ? points[99]!.arrived + 1 : last;
    return Promise.resolve({ points, next: reached >= ask.to ? undefined : String(Math.max(reached, first)) });
  };
  return { asks, kept, fetchPage };
}

/** A player of five minutes, and how the reader's clock goes on: in steps of 100 ms, each of them answered. */
function playerOf(of: ReturnType<typeof history>, minutes = 5) {
  const player = new Player(new Fleet(silentFor), of.fetchPage);
  let now = 5000;
  const pass = async (ms: number) => {
    for (const end = now + ms; now < end; ) {
      player.tick((now += 100));
      await answered();
    }
  };
  player.setView(view);
  player.choose({ from, to: from + minutes * minute });
  return { player, pass };
}

const played = (player: Player) => player.at - from;

test("before it plays, it shows the beginning, with the cars that were there", async () => {
  const { player, pass } = playerOf(history());
  await pass(500);

  expect(player.shown()).toMatchObject({ at: from, playing: false, ended: false, waiting: false });
  expect(player.fleet.size).toBe(1);
  expect(player.fleet.get(1, player.at)!.lat).toBeCloseTo(latAt(from), 6);
});

test.each(speeds)("at %i× the clock runs so many times as fast, and the car is where it was", async (speed) => {
  const { player, pass } = playerOf(history());
  player.setSpeed(speed);
  player.play();
  await pass(300);
  const begun = played(player);
  await pass(3000);

  expect(played(player) - begun).toBeCloseTo(3000 * speed, 6);
  expect(Math.abs(player.fleet.get(1, player.at)!.lat - latAt(player.at))).toBeLessThan(speed === 60 ? 5e-5 : 2e-5); // it waits for the next point up to 5 s
});

test("a pause holds the clock, and play goes on from there", async () => {
  const { player, pass } = playerOf(history());
  player.play();
  await pass(2000);
  player.pause();
  const at = player.at;
  await pass(1000);
  expect(player.at).toBe(at);

  player.play();
  await pass(1000);
  expect(player.at).toBe(at + 1000);
});

test("a tab that was hidden goes on where it was", async () => {
  const { player, pass } = playerOf(history());
  player.play();
  await pass(2000);
  const at = player.at;
  player.tick(1e6);

  expect(player.at).toBe(at + 1000);
});

test("whoever seeks sees the cars of that time, forward and back, and never those of another", async () => {
  const of = history();
  const { player, pass } = playerOf(of);
  await pass(500);

  for (const minutes of [4, 1]) {
    const before = of.asks.length;
    for (const on of [0.1, 0.2, 0.3]) {
      player.seek(from + (minutes + on) * minute); // on the way there
      await pass(100);
    }
    player.seek(from + minutes * minute);
    await pass(100);
    expect(player.fleet.heardAt).toBeUndefined();
    expect(of.asks.length).toBe(before);

    await pass(500);
    expect(played(player)).toBe(minutes * minute);
    expect(player.fleet.get(1, player.at)!.lat).toBeCloseTo(latAt(player.at), 6);
    expect(player.fleet.heardAt).toBe(player.at);
  }
  player.seek(from - minute);
  expect(player.at).toBe(from);
  player.seek(from + 9 * minute);
  expect(player.at).toBe(from + 5 * minute);
});

test("at the end it stops, and play begins again", async () => {
  const { player, pass } = playerOf(history());
  player.setSpeed(60);
  player.play();
  await pass(6000);
  expect(player.shown()).toMatchObject({ at: from + 5 * minute, playing: false, ended: true });

  player.play();
  await pass(1000);
  expect(player.shown()).toMatchObject({ playing: true, ended: false });
  expect(played(player)).toBeLessThan(minute);
});

test("an hour is played to its end, though what is before it belongs to another request", async () => {
  const of = history();
  const { player, pass } = playerOf(of, 60);
  player.setSpeed(60);
  player.seek(from + 59 * minute);
  player.play();
  await pass(3000);
  expect(player.shown().ended).toBe(true);

  player.seek(from);
  await pass(500);
  for (const { from, to } of of.asks) expect(to - from).toBeLessThanOrEqual(60 * minute);
  player.play();
  await pass(62_000);
  expect(player.shown().ended).toBe(true);
  expect(player.fleet.get(1, player.at)!.lat).toBeCloseTo(latAt(player.at), 4);
});

test("where history has not stored the points yet, the clock waits for them", async () => {
  const of = history({ stored: from + 3000 });
  const { player, pass } = playerOf(of);
  player.play();
  await pass(6000);
  expect(player.shown()).toMatchObject({ playing: true, waiting: true });
  expect(played(player)).toBeLessThanOrEqual(3000);

  of.kept.stored = Infinity;
  await pass(3000);
  expect(player.shown()).toMatchObject({ playing: true, waiting: false });
  expect(played(player)).toBeGreaterThan(3000);
});

test("a car without a point for 30 s of the time that is played goes", async () => {
  const { player, pass } = playerOf(history({ ends: from + 10_500 }));
  player.setSpeed(20);
  player.play();
  await pass(1500);
  player.fleet.sweep();
  expect(player.fleet.size).toBe(1);

  await pass(1000);
  expect(played(player)).toBeGreaterThan(40_000);
  player.fleet.sweep();
  expect(player.fleet.size).toBe(0);
});

test("only a view beyond what was fetched is fetched anew, and the time stays", async () => {
  const of = history();
  const { player, pass } = playerOf(of);
  player.seek(from + minute);
  await pass(500);
  const before = of.asks.length;

  player.setView({ ...view, west: -56.18 });
  player.setView({ ...view, west: -56.22, east: -56.12 });
  await pass(500);
  expect(of.asks.length).toBe(before);

  player.setView({ ...view, east: -55.9 });
  await pass(500);
  expect(of.asks.length).toBe(before + 1);
  expect(of.asks.at(-1)!.box.east).toBeCloseTo(-55.75, 9);
  expect(of.asks.at(-1)!.from).toBe(from + minute - silentFor);
  expect([played(player), player.fleet.size]).toEqual([minute, 1]);
});
