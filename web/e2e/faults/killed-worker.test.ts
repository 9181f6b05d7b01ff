import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accessibilityFaults, desktop, openBrowser, openPage, runFile, screenshot, sql, url, valueOf } from "../world";
import { kill } from "./processes";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

interface Receive {
  pid: string;
  receives: number;
  message: string;
  after: number; // ms since the ride was requested
  sent: number; // likewise, by SQS's clock
  worker: string;
}

/** The ride's receives as the database has them. */
const receives = (ride: string) =>
  sql<Receive>(
    `SELECT e.data->>'pid' AS pid, (e.data->>'receives')::int AS receives, e.data->>'message_id' AS message, e.data->>'worker' AS worker,
       (1000 * extract(epoch FROM e.at - r.at))::float8 AS after,
       (1000 * extract(epoch FROM (e.data->>'sent_at')::timestamptz - r.at))::float8 AS sent
     FROM ride.ride_events e JOIN ride.ride_events r ON r.ride_id = e.ride_id AND r.kind = 'requested'
     WHERE e.ride_id = $1 AND e.kind = 'received' ORDER BY e.seq`, ride);

/** Books the suggested trip as a new rider, and returns the ride's id. */
async function book(page: Page): Promise<string> {
  await page.goto(`${url}/rider`);
  await page.getByTestId("sign-in").click();
  await page.getByTestId("short-trip").click();
  await page.getByTestId("book").click();
  await page.getByTestId("ride-id").waitFor();
  return (await valueOf(page, "ride-id")) ?? "";
}

/** Kills the worker that the page names, and returns its pid if it still had the message. */
async function killWorker(page: Page, ride: string): Promise<string | undefined> {
  await page.getByTestId("worker-pid").waitFor({ timeout: 60_000 });
  const pid = await valueOf(page, "worker-pid");
  const workers = runFile().processes.filter((p) => p.name.startsWith("dispatch")).map((p) => String(p.pid));
  expect(workers).toContain(pid);

  kill(Number(pid));

  // A driver who answers at once ends the worker's part before it can be killed.
  const [done] = await sql<{ n: number }>("SELECT count(*)::int AS n FROM ride.ride_events WHERE ride_id = $1 AND kind IN ('deleted', 'requeued')", ride);
  return done?.n ? undefined : (pid ?? undefined);
}

/** The countdown ends when the emulator says that the message shows again. */
async function expectQueuesDeadline(page: Page): Promise<void> {
  const id = await valueOf(page, "message-id");
  const hidden = page.getByTestId("hidden-for");
  await hidden.waitFor({ timeout: 30_000 });

  const message = async () => {
    const state = (await (await fetch(`${runFile().aws_endpoint}/_aws/emulator/state`)).json()) as EmulatorState;
    return state.queues.find((q) => q.name === "ride-requests")?.messages.find((m) => m.id === id);
  };
  expect((await message())?.state).toBe("in_flight");

  // On a busy machine an answer may be slow, and what is shown stale, for a moment.
  await expect.poll(async () => {
    const deadline = Date.now() + ((await message())?.visible_in_ms ?? NaN);
    return Math.abs(Number(await hidden.getAttribute("data-value")) - deadline);
  }).toBeLessThan(1500);
  await expect.poll(() => hidden.innerText()).toMatch(/^hidden \d+\ss more$/);
}

interface EmulatorState {
  queues: { name: string; messages: { id: string; state: string; visible_in_ms: number }[] }[];
}

test("a worker that is killed with the message is seen, and so is the one that goes on", { timeout: 480_000 }, async () => {
  let page = await openPage(browser, desktop);
  let ride = await book(page);
  let first = await killWorker(page, ride);
  while (!first) {
    await page.context().close();
    page = await openPage(browser, desktop);
    ride = await book(page);
    first = await killWorker(page, ride);
  }

  // The visibility (30 s) must run out first. Until then nobody can know that it died.
  expect(await page.getByTestId("trace-note").innerText()).toContain(`Pid ${first} keeps the message hidden from the other workers, for 30 s at a time`);
  await expectQueuesDeadline(page);
  await page.getByTestId("try-1-pid").waitFor({ timeout: 90_000 });
  await page.getByTestId("trace-deleted-after").and(page.locator("[data-value]")).waitFor({ timeout: 90_000 });

  const [one, two] = await receives(ride);
  expect([one?.receives, two?.receives]).toEqual([1, 2]);
  expect(one?.message).toBe(two?.message);
  expect(await valueOf(page, "message-id")).toBe(one?.message);
  expect([await valueOf(page, "try-1-pid"), await valueOf(page, "worker-pid")]).toEqual([one?.pid, two?.pid]);
  expect(one?.pid).toBe(first);

  const fate = page.getByTestId("try-1-pid-fate");
  expect((await fate.innerText()).replace(/\s+/g, " ").trim()).toBe("✕ died");
  expect(await fate.evaluate((e) => getComputedStyle(e).color), "the colour of a fault, not the grey around it").toBe("rgb(176, 18, 63)");

  // Every number of the trace is the database's, or SQS's that the worker has read.
  const near = async (testid: string, want: number | undefined) => expect(Math.abs(Number(await valueOf(page, testid)) - (want ?? NaN))).toBeLessThan(2);
  await near("try-1-pid-after", one?.after);
  await near("worker-pid-after", two?.after);
  await near("worker-pid-wait", (two?.after ?? 0) - (one?.after ?? 0));
  await near("message-id-after", Math.max(0, one?.sent ?? NaN));
  expect(Number(await valueOf(page, "worker-pid-wait"))).toBeGreaterThan(29_000);
  expect(one?.sent).toBeLessThanOrEqual(one?.after ?? NaN);
  expect(await page.getByTestId("trace-note").innerText()).toContain(`Pid ${first} was not heard of again`);

  await page.getByTestId("trace").scrollIntoViewIfNeeded();
  await screenshot(page, "killed-worker");
  expect(await accessibilityFaults(page)).toEqual([]);

  // The console counts the second try, at the worker that had it.
  await page.goto(`${url}/admin`);
  await page.getByTestId("sign-in").click();
  const again = page.getByTestId(`worker-${two?.worker}-again`);
  await again.waitFor({ timeout: 20_000 });
  // At least: a message that is dropped, because the ride has a newer one, is in no ride's history.
  const [counted] = await sql<{ n: number }>(
    "SELECT count(*)::int AS n FROM ride.ride_events WHERE kind = 'received' AND (data->>'receives')::int > 1 AND data->>'pid' = $1", two?.pid);
  expect(Number(await again.innerText())).toBeGreaterThanOrEqual(counted?.n ?? NaN);
  expect(counted?.n).toBeGreaterThan(0);
  await page.context().close();
});
