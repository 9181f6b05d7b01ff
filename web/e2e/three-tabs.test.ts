import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { accessibilityFaults, newProfile, openBrowser, screenshot, sql, url, valueOf } from "./world";

// One person is rider, driver and operator, in three tabs of one browser.

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const slow = { timeout: 60_000 }; // three maps are drawn without a graphics card

interface Tabs {
  context: BrowserContext;
  rider: Page;
  driver: Page;
  subject: string; // the driver's id
}

/** A rider, and a driver who is on duty at Plaza Independencia. */
async function openTabs(): Promise<Tabs> {
  const context = await newProfile(browser, { viewport: { width: 1280, height: 800 }, colorScheme: "light" });
  onTestFinished(() => context.close()); // a driver of a test that failed would be asked for the next one's ride
  const driver = await context.newPage();
  await driver.goto(`${url}/driver`);
  const [answer] = await Promise.all([
    driver.waitForResponse((r) => r.url().endsWith("/session/driver") && r.request().method() === "POST"),
    driver.getByTestId("sign-in").click(),
  ]);
  const { subject } = (await answer.json()) as { subject: string };
  await driver.getByTestId("duty-switch").click(slow);
  await expect.poll(async () => Number(await valueOf(driver, "points-sent").catch(() => 0)), slow).toBeGreaterThan(1);

  const rider = await context.newPage();
  await rider.goto(`${url}/rider`);
  await rider.getByTestId("sign-in").click();
  return { context, rider, driver, subject };
}

/** Searches an address by keyboard, and takes the first that is found: the next control then has the focus. */
async function search(page: Page, field: string, text: string, next: string): Promise<void> {
  const input = page.getByTestId(field);
  await expect.poll(async () => {
    // The panel of a rider who has just signed in may be drawn once more, and is empty then.
    if ((await input.inputValue()) === "") {
      await input.fill(text);
      await input.press("Enter");
    }
    return page.evaluate(() => document.activeElement?.getAttribute("data-testid"));
  }, slow).toBe(next);
}

/** Books from where the driver stands, again and again until this driver is asked, and returns the ride. */
async function bookUntilAsked({ rider, driver, subject }: Tabs): Promise<{ ride: string; began: number }> {
  for (let tries = 1; ; tries++) {
    await rider.bringToFront();
    const began = Date.now();
    await search(rider, "pickup", "Plaza Independencia", "dropoff");
    await search(rider, "dropoff", "Juan P. Fabini", "book");
    await rider.getByTestId("book").click(slow);
    await rider.getByTestId("ride-id").waitFor(slow);
    const ride = (await valueOf(rider, "ride-id")) ?? "";

    // Whoever can be there first is asked first: that may be another car.
    await driver.bringToFront();
    const asked = () => sql<{ driver: string }>("SELECT driver_id AS driver FROM ride.offers WHERE ride_id = $1 ORDER BY made_at LIMIT 1", ride);
    await expect.poll(async () => (await asked()).length, slow).toBe(1);
    if ((await asked())[0]?.driver === subject) return { ride, began };

    expect(tries, "another car was nearer each time").toBeLessThan(15); // six times in a row it was, in the middle of the city
    // That car may have the rider by now, so that there is nothing to cancel: somebody else books.
    await rider.bringToFront();
    await rider.getByTestId("sign-out").click(slow);
    await rider.waitForURL(`${url}/`);
    await rider.goto(`${url}/rider`);
    await rider.getByTestId("sign-in").click(slow);
  }
}

test("a ride from the search to the receipt, with the driver's tab accepting", { timeout: 480_000 }, async () => {
  const tabs = await openTabs();
  const { rider, driver, subject } = tabs;
  const { ride, began } = await bookUntilAsked(tabs);

  // The offer is what the database has.
  await driver.getByTestId("offer").waitFor(slow);
  const open = async () => (await sql<{ id: string; left: number; price: string }>(
    `SELECT o.id, extract(epoch FROM o.expires_at - clock_timestamp())::float8 AS left, r.price_minor::text AS price
     FROM ride.offers o JOIN ride.rides r ON r.id = o.ride_id WHERE o.ride_id = $1 AND o.state = 'open'`, ride))[0];
  const offer = await open();
  expect([await valueOf(driver, "offer"), await valueOf(driver, "offer-price")]).toEqual([offer?.id, offer?.price]);

  // Its time is what is left of it there. A busy page draws late: one look in time is enough.
  await expect.poll(async () => {
    const shown = Number(await valueOf(driver, "offer-left"));
    return Math.abs(shown - ((await open())?.left ?? NaN));
  }).toBeLessThan(3);
  await expect.poll(() => driver.title()).toContain("A ride for you");
  await expect.poll(() => driver.evaluate(() => document.activeElement?.getAttribute("data-testid"))).toBe("accept");
  await screenshot(driver, "driver-offer");
  expect(await accessibilityFaults(driver)).toEqual([]);
  await driver.keyboard.press("Enter");
  await driver.getByTestId("time-left").waitFor(slow);

  // The third tab: an operator sees the machine at work meanwhile.
  const admin = await tabs.context.newPage();
  await admin.goto(`${url}/admin`);
  await admin.getByTestId("sign-in").click();
  await admin.getByTestId("sentence").waitFor(slow);
  await driver.bringToFront();
  await screenshot(driver, "driver-ride");

  await rider.bringToFront();
  await rider.getByTestId("receipt").waitFor({ timeout: 240_000 });
  const took = (Date.now() - began) / 1000;
  console.log(`search to receipt: ${took.toFixed(0)} s`);
  expect(took).toBeLessThan(120);

  const [done] = await sql<{ state: string; driver: string; price: string; accepted: number }>(
    `SELECT state, driver_id AS driver, price_minor::text AS price,
       (SELECT count(*)::int FROM ride.ride_events e WHERE e.ride_id = r.id AND e.kind = 'assigned') AS accepted FROM ride.rides r WHERE id = $1`, ride);
  expect(done).toEqual({ state: "completed", driver: subject, price: await valueOf(rider, "price"), accepted: 1 });

  // What the driver has earned is the sum of its fares.
  await driver.bringToFront();
  await driver.getByTestId("earned").waitFor(slow);
  const [earned] = await sql<{ sum: string; rides: string }>(
    "SELECT sum(price_minor)::text AS sum, count(*)::text AS rides FROM ride.rides WHERE driver_id = $1 AND state = 'completed'", subject);
  await expect.poll(() => valueOf(driver, "earnings"), slow).toBe(earned?.sum);
  expect(await driver.getByTestId("earnings").getAttribute("data-rides")).toBe(earned?.rides);
  await screenshot(driver, "driver-earned");
  await driver.getByTestId("duty-switch").click();
});

test("a driver's no is seen on the rail, and the ride goes to another", { timeout: 480_000 }, async () => {
  const tabs = await openTabs();
  const { rider, driver, subject } = tabs;
  const { ride } = await bookUntilAsked(tabs);
  await driver.getByTestId("refuse").click(slow);
  await driver.getByTestId("duty-switch").click(slow); // nothing else is offered to it

  await rider.bringToFront();
  const no = rider.getByTestId("trace").getByText("said no").first();
  await no.waitFor(slow);
  const [refused] = await sql<{ n: number }>("SELECT count(*)::int AS n FROM ride.offers WHERE ride_id = $1 AND driver_id = $2 AND state = 'refused'", ride, subject);
  expect(refused?.n).toBe(1);
  await screenshot(rider, "refusal");

  const assigned = async () => (await sql<{ driver: string }>("SELECT driver_id AS driver FROM ride.rides WHERE id = $1 AND state IN ('assigned', 'arrived', 'picked_up', 'completed')", ride))[0]?.driver;
  await expect.poll(assigned, { timeout: 120_000 }).toBeTruthy();
  expect(await assigned()).not.toBe(subject);
});
