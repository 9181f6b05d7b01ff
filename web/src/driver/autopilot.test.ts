import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Autopilot, type Trip } from "./autopilot";

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const problem = (status: number, more: object = {}) => Response.json({ detail: `no ${status}`, ...more }, { status });

/** An autopilot whose server answers as told. The last answer to points is given again and again. */
function drive(last: Response[], ...answers: ((seqs: number[]) => Response | Promise<Response>)[]) {
  const trips: Trip[] = [];
  const batches: number[][] = [];
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    if (url.includes("/last")) return Promise.resolve(last.length > 1 ? last.shift() : last[0]!.clone());
    const seqs = (JSON.parse(init.body as string) as { points: { seq: number }[] }).points.map((p) => p.seq);
    batches.push(seqs);
    return Promise.resolve((answers.length > 1 ? answers.shift()! : answers[0]!)(seqs));
  });
  const pilot = new Autopilot("d", (t) => trips.push(t), () => undefined);
  pilot.start();

  return { pilot, batches, latest: () => trips.at(-1) };
}

/** Seconds until there have been so many more fixes. */
const seconds = (n: number) => vi.advanceTimersByTimeAsync(n * 1000);

const taken = (refused: number[] = []) => (seqs: number[]) =>
  Response.json({ accepted: seqs.length - refused.length, accepted_through: seqs.at(-1), refused: refused.map((i) => ({ seq: seqs[i], index: i, field: "lat", detail: "no" })) }, { status: 202 });
const none = (seqs: number[]) => problem(400, { refused: seqs.map((seq, index) => ({ seq, index, field: "lat", detail: "no" })) });

test("points that are refused are not counted as sent", async () => {
  const { pilot, latest } = drive([problem(404)], taken(), taken([0]), none);
  await vi.advanceTimersByTimeAsync(2500);
  pilot.stop();

  expect(latest()).toMatchObject({ sent: 1, refused: 2, unsent: 0, retried: false });
  expect(latest()?.error).toMatchObject({ status: 400 });
});

test("of a batch that is durable in part the rest alone is sent again", async () => {
  const partly = (seqs: number[]) => problem(503, { accepted_through: seqs[0], resend_from: seqs[1], refused: null });
  const { pilot, batches, latest } = drive([problem(404)], () => problem(503), partly, taken());
  await vi.advanceTimersByTimeAsync(1500);
  expect(latest()).toMatchObject({ sent: 1, unsent: 1, retried: true });

  await vi.advanceTimersByTimeAsync(1000);
  pilot.stop();
  expect(batches[2]![0]).toBe(batches[1]![1]);
  expect(latest()).toMatchObject({ sent: 3, unsent: 0, error: undefined });
});

test("a start that fails is tried again, and drives on from the last point", async () => {
  const { pilot, batches, latest } = drive([problem(503), Response.json({ seq: 9e15, lat: -34.9, lon: -56.2 })], taken());
  await vi.advanceTimersByTimeAsync(500);
  expect(latest()).toMatchObject({ retried: true, error: { status: 503 } });
  expect(batches).toEqual([]);

  await vi.advanceTimersByTimeAsync(1000);
  pilot.stop();
  expect(batches[0]).toEqual([9e15 + 1]);
  expect(latest()?.error).toBeUndefined();
});

test("one that was stopped while it starts does not start", async () => {
  const { pilot, batches } = drive([problem(404)], taken());
  pilot.stop();
  await vi.advanceTimersByTimeAsync(3000);

  expect(batches).toEqual([]);
});

test("what an outage leaves no room for is the oldest, is counted, and the rest is sent in order", async () => {
  const answers = Array.from({ length: 605 }, () => () => problem(503));
  const { pilot, batches, latest } = drive([problem(404)], ...answers, taken());
  await seconds(604.5);
  expect(latest()).toMatchObject({ sent: 0, unsent: 600, dropped: 5, retried: true });

  await seconds(2);
  pilot.stop();
  const all = [...new Set(batches.flat())].sort((a, b) => a - b);
  const [first, second] = batches.slice(605);
  expect(first).toHaveLength(500);
  expect([...first!, ...second!]).toEqual(all.slice(6)); // one more was dropped before the first answer
  expect(latest()).toMatchObject({ sent: 601, unsent: 0, dropped: 6, error: undefined });
});

test("what is in flight is not dropped", async () => {
  let answer: (r: Response) => void = () => undefined;
  const { pilot, batches, latest } = drive([problem(404)], () => new Promise<Response>((resolve) => (answer = resolve)), taken());
  await seconds(603.5); // one is in flight, 603 were added behind it
  expect(batches).toHaveLength(1);

  answer(taken()(batches[0]!));
  await seconds(1);
  pilot.stop();
  expect(latest()).toMatchObject({ sent: 501, unsent: 100, dropped: 4 });
  expect(batches[1]![0]).toBe(batches[0]![0]! + 5000);
});
