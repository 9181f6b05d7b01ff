import { expect, test } from "vitest";
import { Problem } from "../api/client";
import type { PlaybackPage, PlayedPoint } from "../api/playback";
import { Reel } from "./reel";

const point = (arrived: number): PlayedPoint => ({ driver: "d", lat: -34.9, lon: -56.2, at: arrived, arrived });
const page = (next: string | undefined, ...arrivals: number[]): PlaybackPage => ({ points: arrivals.map(point), next });
const answered = () => new Promise((resolve) => setTimeout(resolve));
const arrivals = (points: PlayedPoint[]) => points.map((p) => p.arrived);

/** A reel of 1,000 to 9,000 that is answered in this order, and what it has asked for. */
function reelOf(...answers: (PlaybackPage | Error)[]): { reel: Reel; asked: (string | undefined)[] } {
  const asked: (string | undefined)[] = [];
  const reel = new Reel(1000, 9000, (after) => {
    asked.push(after);
    const answer = answers.shift() ?? new Error("asked once too often");
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  return { reel, asked };
}

test("pages are asked for one after the other, each with the next of the one before, up to the last", async () => {
  const { reel, asked } = reelOf(page("a", 1000, 2000), page("b", 2000, 4000), page(undefined, 5000));

  reel.fetchAhead(9000, 0);
  reel.fetchAhead(9000, 0); // the first is still on its way
  expect(asked).toEqual([undefined]);
  await answered();
  expect([reel.ready, reel.done]).toEqual([2000, false]);

  for (let i = 0; i < 4; i++) {
    reel.fetchAhead(9000, 0);
    await answered();
  }
  expect(asked).toEqual([undefined, "a", "b"]);
  expect([reel.ready, reel.done]).toEqual([9000, true]);
  expect(arrivals(reel.take(2000))).toEqual([1000, 2000, 2000]);
  expect(arrivals(reel.take(8000))).toEqual([4000, 5000]);
});

test("nothing is asked for beyond what is to be played soon, or while much is here", async () => {
  const many = Array.from({ length: 50_000 }, (_, i) => 3000 + i / 100);
  const { reel, asked } = reelOf(page("a", 3000), page("b", ...many), page(undefined));

  for (const until of [2000, 3000, 3000]) {
    reel.fetchAhead(until, 0);
    await answered();
  }
  expect(asked).toEqual([undefined]);

  reel.fetchAhead(9000, 0);
  await answered();
  reel.fetchAhead(9000, 0);
  expect(asked).toEqual([undefined, "a"]);
  reel.take(3200);
  reel.fetchAhead(9000, 0);
  expect(asked).toEqual([undefined, "a", "b"]);
});

test("an empty page that is not the last is asked for again a second after it came", async () => {
  const { reel, asked } = reelOf(page("a", 4000), page("b"), page(undefined, 5000));
  reel.fetchAhead(9000, 0);
  await answered();
  reel.fetchAhead(9000, 100);
  await answered();
  expect([reel.ready, reel.done]).toEqual([4000, false]);

  reel.fetchAhead(9000, 3000); // it took its time
  reel.fetchAhead(9000, 3999);
  expect(asked).toHaveLength(2);
  reel.fetchAhead(9000, 4000);
  await answered();
  expect(asked).toEqual([undefined, "a", "b"]);
  expect(reel.done).toBe(true);
});

test("what failed for a moment is tried again, and what was refused is not", async () => {
  const { reel, asked } = reelOf(new Problem(503, "Busy."), page("a", 2000), new Problem(410, "Not kept."));
  reel.fetchAhead(9000, 0);
  await answered();
  expect(reel.error).toMatchObject({ status: 503 });

  for (const now of [10, 2009]) reel.fetchAhead(9000, now);
  expect(asked).toHaveLength(1);
  reel.fetchAhead(9000, 2010);
  await answered();
  expect(reel.error).toBeUndefined();

  reel.fetchAhead(9000, 2020);
  await answered();
  for (const now of [2030, 1e9]) reel.fetchAhead(9000, now);
  expect(reel.error).toMatchObject({ status: 410 });
  expect(asked).toEqual([undefined, undefined, "a"]);
});
