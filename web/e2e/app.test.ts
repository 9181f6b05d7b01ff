import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accessibilityFaults, desktop, openBrowser, openPage, runFile, screenshot, sql, url, valueOf } from "./world";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

test("the map moves before any login", async () => {
  const page = await openPage(browser, desktop);
  await page.goto(url);

  // Vehicles are shown, and no more than there are drivers.
  const fleet = page.getByTestId("fleet");
  await expect.poll(async () => Number(await fleet.getAttribute("data-vehicles")), { timeout: 20_000 }).toBeGreaterThan(5);
  const [drivers] = await sql<{ n: number }>("SELECT count(DISTINCT driver)::int AS n FROM history.points");
  expect(Number(await fleet.getAttribute("data-vehicles"))).toBeLessThanOrEqual(drivers?.n ?? 0);

  // The picture changes by itself.
  const picture = () => fleet.evaluate((c: HTMLCanvasElement) => c.toDataURL());
  const before = await picture();
  await expect.poll(picture, { timeout: 5000 }).not.toBe(before);
  await page.context().close();
});

test("a ride is booked and driven to its receipt, as the database has it", async () => {
  const page = await openPage(browser, desktop);
  await page.goto(`${url}/rider`);
  await page.getByTestId("sign-in").click();
  await page.getByTestId("short-trip").click();
  await page.getByTestId("book").click();
  await page.getByTestId("ride-id").waitFor();

  // The ids that the page shows are those of the database and of the processes.
  const id = await valueOf(page, "ride-id");
  await page.getByTestId("message-id").waitFor();
  await page.getByTestId("worker-pid").waitFor();
  const [queued] = await sql<{ message_id: string }>(
    "SELECT data->>'message_id' AS message_id FROM ride.ride_events WHERE ride_id = $1 AND kind = 'queued' ORDER BY seq DESC LIMIT 1", id);
  expect(await valueOf(page, "message-id")).toBe(queued?.message_id);
  const workers = runFile().processes.filter((p) => p.name.startsWith("dispatch")).map((p) => String(p.pid));
  expect(workers).toContain(await valueOf(page, "worker-pid"));

  // The driver's points pass through the stream to the readers.
  await page.getByTestId("trace-sequence").waitFor({ timeout: 120_000 });
  await expect.poll(() => page.getByTestId("trace-history-ms").innerText(), { timeout: 30_000 }).toMatch(/\d.*later/);

  // The ticks are the driver's points since the accept: not more than history has, and soon all that it has now.
  const points = async () =>
    (await sql<{ n: number }>(
      `SELECT count(*)::int AS n FROM history.points p JOIN ride.rides r ON r.driver_id = p.driver
       WHERE r.id = $1 AND p.seq >= floor(extract(epoch FROM r.assigned_at) * 1000)`, id))[0]?.n ?? NaN;
  const before = await points();
  await expect.poll(async () => Number(await valueOf(page, "trace-points")), { timeout: 30_000 }).toBeGreaterThanOrEqual(before);
  expect(Number(await valueOf(page, "trace-points"))).toBeLessThanOrEqual(await points());
  await screenshot(page, "ride");
  expect(await accessibilityFaults(page)).toEqual([]);

  // The receipt has the numbers of the database.
  await page.getByTestId("receipt").waitFor({ timeout: 180_000 });
  const [ride] = await sql<{ state: string; price: string; distance: string }>(
    "SELECT state, price_minor::text AS price, distance_m::text AS distance FROM ride.rides WHERE id = $1", id);
  expect(await valueOf(page, "ride-state")).toBe(ride?.state);
  expect(await valueOf(page, "price")).toBe(ride?.price);
  expect(await valueOf(page, "distance")).toBe(ride?.distance);

  await page.getByTestId("message").first().waitFor();
  await screenshot(page, "receipt");

  // The receipt survives a reload, and the list of rides leads to it.
  await page.reload();
  await page.getByTestId("receipt").waitFor();
  expect(await valueOf(page, "price")).toBe(ride?.price);
  await page.getByTestId("another").click();
  await page.getByTestId("ride-link").waitFor();
  expect(await valueOf(page, "ride-link")).toBe(id);
  await page.context().close();
});

test("a driver goes on duty and its points are on the stream", async () => {
  const page = await openPage(browser, { ...desktop, colorScheme: "dark" });
  await page.goto(`${url}/driver`);
  const [answer] = await Promise.all([
    page.waitForResponse((r) => r.url().endsWith("/session/driver") && r.request().method() === "POST"),
    page.getByTestId("sign-in").click(),
  ]);
  const { subject } = (await answer.json()) as { subject: string };

  await page.getByTestId("duty-switch").click();
  await expect.poll(async () => Number(await valueOf(page, "points-sent").catch(() => 0)), { timeout: 20_000 }).toBeGreaterThan(3);

  // A point that the page counts is acknowledged, so it must reach the history.
  const promised = Number(await valueOf(page, "points-sent"));
  const stored = async () => (await sql<{ n: number }>("SELECT count(*)::int AS n FROM history.points WHERE driver = $1", subject))[0]?.n;
  await expect.poll(stored, { timeout: 20_000 }).toBeGreaterThanOrEqual(promised);
  await screenshot(page, "driver");
  expect(await accessibilityFaults(page)).toEqual([]);

  const off = page.getByTestId("duty-switch");
  if (await off.isVisible()) await off.click(); // it is hidden if a ride was offered meanwhile
  await page.context().close();
});

test("the console shows what the machine and the database have", async () => {
  const page = await openPage(browser, desktop);
  await page.goto(`${url}/admin`);
  await page.getByTestId("sign-in").click();
  await page.getByTestId("sentence").waitFor({ timeout: 20_000 });

  for (const { name, pid } of runFile().processes.filter((p) => p.name.startsWith("dispatch"))) {
    await expect.poll(() => page.getByTestId(`worker-${name}-pid`).innerText()).toBe(String(pid));
  }

  const points = async () => (await sql<{ n: number }>("SELECT count(*)::int AS n FROM history.points"))[0]?.n ?? 0;
  expect(Number(await valueOf(page, "reader-history-points"))).toBeLessThanOrEqual((await points()) + 2000);
  await expect.poll(() => page.getByTestId("queue-ride-requests-dlq-visible").innerText()).toBe("0");
  await page.context().close();
});
