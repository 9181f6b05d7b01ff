import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { desktop, openBrowser, openPage, screenshot, url } from "../world";
import { frozen, kill, pid } from "./processes";

const promised = 3000; // ms within which a number that is not of now says so
const drawing = 4000; // ms that a machine that is busy may take to draw it

// Three pages are drawn at once, without a graphics card.
const small = { ...desktop, viewport: { width: 1000, height: 640 } };

let browser: Browser;
let pages: { map: Page; rider: Page; console: Page };

/** Opens a page of this demo, and signs in where one has to. */
async function open(path: string): Promise<Page> {
  const page = await openPage(browser, small);
  page.setDefaultTimeout(120_000);
  await page.goto(url + path);
  if (path !== "/") await page.getByTestId("sign-in").click();

  return page;
}

beforeAll(async () => {
  browser = await openBrowser();
  const console = await open("/admin"); // first: maps keep a processor busy
  const [rider, map] = [await open("/rider"), await open("/")];
  pages = { map, rider, console };

  await map.getByTestId("cars").waitFor();
}, 240_000);
afterAll(() => browser?.close());

/** Waits until the console says that all is well. */
const well = () => expect.poll(() => pages.console.getByTestId("sentence").getAttribute("data-ok"), { timeout: 120_000 }).toBe("true");

/** Waits until the rider's page tells when the car arrives, of a ride that is long enough to look at. */
async function riding(): Promise<void> {
  await well();
  const { rider } = pages;
  const away = () => rider.evaluate(() => document.querySelector<HTMLElement>("[data-testid=remaining]")?.innerText ?? "");
  if (/km away, here by/.test(await away())) return;

  if (await rider.getByTestId("another").isVisible()) await rider.getByTestId("another").click();
  const booked = await rider.evaluate(async () => {
    const place = (lat: number, lon: number) => ({ lat, lon });
    const answer = await fetch("/rider/v1/rides", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
      body: JSON.stringify({ pickup: place(-34.9066, -56.1997), dropoff: place(-34.815, -56.165) }),
    });
    return answer.status;
  });
  expect([201, 409, 429]).toContain(booked); // it may have one
  await rider.reload(); // a ride that is under way is shown again
  await expect.poll(away, { timeout: 180_000 }).toMatch(/km away, here by/);
}

/** The ages that the numbers under a selector say, each once. */
const ages = (page: Page, selector: string) =>
  page.locator(`${selector} [data-age]`).evaluateAll((all) => [...new Set(all.map((e) => (e as HTMLElement).dataset["age"]))].sort());

/**
 * Waits until every number under a selector is stale, and returns how long after
 * `since` that was. The page itself looks: a question from here takes long on a
 * machine that is busy.
 */
async function stale(page: Page, selector: string, since: number): Promise<number> {
  const at = await page.evaluate(
    ([numbers, within]) =>
      new Promise<number>((resolve) => {
        const began = Date.now();
        const timer = setInterval(() => {
          const all = [...document.querySelectorAll<HTMLElement>(numbers)];
          const done = all.length > 0 && all.every((e) => e.dataset["age"] === "stale");
          if (!done && Date.now() - began < within) return;
          clearInterval(timer);
          resolve(done ? Date.now() : Infinity);
        }, 20);
      }),
    [selector, 20_000] as const,
  );
  return at - since;
}

const goError = /dial tcp|context (deadline|canceled)|\bEOF\b|connection (refused|reset)|operation error|http(s)? response|i\/o timeout|pgx|lookup /i;

/** What stands on all pages. */
const texts = async () => (await Promise.all(Object.values(pages).map((p) => p.locator("body").innerText()))).join("\n");

/** Waits until nothing says any more that it is not of now. No page is loaded again. */
async function recovered(): Promise<void> {
  for (const page of Object.values(pages)) {
    await expect.poll(() => page.locator("[data-age=stale]").count(), { timeout: 60_000 }).toBe(0);
    await expect.poll(() => page.getByTestId("connection-lost").count(), { timeout: 60_000 }).toBe(0);
    expect(await page.evaluate(() => document.body.dataset["mark"])).toBe("same");
  }
  await well();
}

const mark = () => Promise.all(Object.values(pages).map((p) => p.evaluate(() => (document.body.dataset["mark"] = "same"))));

async function shots(name: string): Promise<void> {
  for (const [page, p] of Object.entries(pages)) await screenshot(p, `frozen-${name}-${page}`);
}

const carsAreStale = (since: number) =>
  Promise.all([
    stale(pages.map, "[data-testid=cars-line] [data-age]", since),
    stale(pages.map, "[data-testid=fleet]", since),
    stale(pages.rider, "[data-testid=remaining] [data-age]", since),
    stale(pages.rider, "[data-testid=trace-sequence] [data-age]", since),
  ]);

async function noArrival(): Promise<void> {
  expect(await pages.map.getByTestId("connection-lost").innerText()).toContain("not heard from");
  const away = await pages.rider.getByTestId("remaining").innerText();
  expect(away).toContain("when it was last heard from");
  expect(away).not.toContain("here by");
}

function inTime(what: string, took: number[]): void {
  console.log(`${what}: stale after ${took.join(", ")} ms`);
  expect(Math.max(...took)).toBeLessThan(promised + drawing);
}

describe("what is not of now says so", () => {
  test("with the emulator frozen: queues, readers, cars and the way that is left", async () => {
    await riding();
    await mark();
    await frozen("emulator", async (since) => {
      const readers = ["mapfeed", "history", "heatmap", "nearby"].map((r) => stale(pages.console, `[data-testid=reader-${r}] [data-age]`, since));
      const queues = stale(pages.console, "[data-testid^=queue-] [data-age]", since);
      inTime("emulator", (await Promise.all([carsAreStale(since), queues, ...readers])).flat());

      await noArrival();
      await expect.poll(() => pages.console.getByTestId("sentence").innerText(), { timeout: 20_000 })
        .toBe("Neither queue nor stream answers: bookings wait in the database, and cars are not heard from.");
      await expect.poll(() => pages.map.getByTestId("connection-lost").innerText()).toContain("The stream is silent");

      // Cars that are not heard from have not gone: the last number stays.
      const cars = await pages.map.getByTestId("cars").innerText();
      await pages.map.waitForTimeout(16_000 - (Date.now() - since));
      expect(await pages.map.getByTestId("cars").innerText()).toBe(cars);
      expect(await texts()).not.toMatch(goError);
      await shots("emulator");
    });
    await recovered();
  });

  test("with mapfeed frozen: cars and the way that is left; rides go on", async () => {
    await riding();
    await mark();
    await frozen("mapfeed", async (since) => {
      inTime("mapfeed", (await Promise.all([carsAreStale(since), stale(pages.console, "[data-testid=reader-mapfeed] [data-age]", since)])).flat());

      await noArrival();
      await expect.poll(() => pages.console.getByTestId("sentence").innerText(), { timeout: 20_000 })
        .toBe("mapfeed does not answer: the map stands still; rides go on.");
      await expect.poll(() => ages(pages.console, "[data-testid^=queue-]"), { timeout: 20_000 }).toEqual(["fresh"]);
      await expect.poll(() => ages(pages.rider, "[data-testid=ride-state]"), { timeout: 20_000 }).toEqual(["fresh"]);
      expect(await texts()).not.toMatch(goError);
      await shots("mapfeed");
    });
    await recovered();
  });

  test("with booking frozen: the ride's state; the cars go on", async () => {
    await riding();
    await mark();
    await frozen("booking", async (since) => {
      inTime("booking", [await stale(pages.rider, "[data-testid=ride-state] [data-age]", since)]);

      await expect.poll(() => pages.console.getByTestId("sentence").innerText(), { timeout: 20_000 })
        .toBe("booking does not answer: no ride can be booked or changes; cars go on moving.");
      await expect.poll(() => ages(pages.map, "[data-testid=cars-line]"), { timeout: 20_000 }).toEqual(["fresh"]);
      expect(await texts()).not.toMatch(goError);
      await shots("booking");
    });
    await recovered();
  });

  test("a booking that is not answered is asked again with the same key, and booked once", async () => {
    const page = await open("/rider");
    await page.getByTestId("short-trip").click();
    await page.getByTestId("quote").waitFor();
    const keys: (string | undefined)[] = [];
    page.on("request", (r) => r.method() === "POST" && r.url().endsWith("/v1/rides") && keys.push(r.headers()["idempotency-key"]));

    await frozen("booking", async () => {
      await page.getByTestId("book").click();
      await page.getByTestId("booking-waits").waitFor();
      expect(await page.getByTestId("booking-waits").innerText()).toContain("with the same key");
      await screenshot(page, "frozen-booking-book");
      await expect.poll(() => keys.length, { timeout: 60_000 }).toBeGreaterThan(1);
    });

    await page.getByTestId("ride-id").waitFor();
    expect(new Set(keys).size).toBe(1);
    const rides = await page.evaluate(async () => ((await (await fetch("/rider/v1/rides?limit=5")).json()) as { rides: unknown[] }).rides.length);
    expect(rides).toBe(1);
    await page.context().close();
    await well();
  });

  test("a reader that was killed is behind until it reads again, and never at 0", async () => {
    const page = pages.console;
    const before = pid("history");
    kill(before);
    const since = Date.now();
    await expect.poll(() => pid("history"), { timeout: 60_000 }).not.toBe(before);

    // From the kill until it reads again, as the page tells it.
    const sentences = new Set<string>();
    let most = { behind: 0, unread: 0 };
    const look = async () => {
      const seen = await page.evaluate(() => {
        const value = (id: string) => Number(document.querySelector<HTMLElement>(`[data-testid=${id}]`)?.dataset["value"]);
        const sentence = document.querySelector<HTMLElement>("[data-testid=sentence]");
        return { text: sentence?.innerText ?? "", ok: sentence?.dataset["ok"] === "true", behind: value("reader-history-behind"), unread: value("reader-history-unread") };
      });

      if (seen.ok) expect(seen.behind).toBeLessThanOrEqual(promised);
      else sentences.add(seen.text.replace(/\d+/g, "N"));
      most = { behind: Math.max(most.behind, seen.behind), unread: Math.max(most.unread, seen.unread) };
      return seen.ok && sentences.size > 0;
    };
    await expect.poll(look, { timeout: 90_000, interval: 100 }).toBe(true);

    console.log(`killed history: ${Date.now() - since} ms, at most`, most, [...sentences]);
    expect(most.behind).toBeGreaterThan(promised);
    expect(most.unread).toBeGreaterThan(0);
    expect([...sentences].join()).toMatch(/history does not read N of its shards, about N points unread/);
  });
});
