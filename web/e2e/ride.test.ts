import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clippedTexts } from "./look";
import { accessibilityFaults, desktop, openBrowser, openPage, screenshot, sql, url, valueOf } from "./world";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const mostPresses = 25;

/** A page of a rider who has signed in before. */
async function riderPage(): Promise<Page> {
  const page = await openPage(browser, desktop);
  await page.goto(`${url}/rider`);
  await page.getByTestId("sign-in").click();
  await page.getByTestId("pickup").waitFor();
  return page;
}

interface Counted {
  presses: number;
}

test("a ride is booked by keyboard, from the page's load, in few presses", async () => {
  const page = await riderPage();
  await page.addInitScript(() => addEventListener("keydown", () => ((window as unknown as Counted).presses = ((window as unknown as Counted).presses ?? 0) + 1), { capture: true }));
  await page.reload();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-testid"));

  // Enter takes the first place that is found, whether it is there already or not.
  await expect.poll(focused, { timeout: 60_000 }).toBe("pickup");
  await page.keyboard.type("plaza ind");
  await page.keyboard.press("Enter");
  await expect.poll(focused, { timeout: 60_000 }).toBe("dropoff");
  expect(await page.getByTestId("pickup").inputValue()).toContain("Plaza Independencia");
  await page.keyboard.type("fabini");
  await page.getByRole("option").first().waitFor();
  await page.keyboard.press("Enter");
  await expect.poll(focused, { timeout: 60_000 }).toBe("book");
  await screenshot(page, "by-keyboard");
  await page.keyboard.press("Enter");
  await page.getByTestId("ride-id").waitFor();

  const presses = await page.evaluate(() => (window as unknown as Counted).presses);
  console.log(`booked with ${presses} presses`);
  expect(presses).toBeLessThanOrEqual(mostPresses);

  const [ride] = await sql<{ pickup: string; dropoff: string }>("SELECT pickup_label AS pickup, dropoff_label AS dropoff FROM ride.rides WHERE id = $1", await valueOf(page, "ride-id"));
  expect(ride?.pickup).toContain("Plaza Independencia");
  expect(ride?.dropoff).toContain("Fabini");
  await page.context().close();
});

test("a pin is dragged, and the trip and its price go with it", async () => {
  const page = await riderPage();
  await page.getByTestId("short-trip").click();
  await page.getByTestId("quote").waitFor();
  const price = await valueOf(page, "quote-price");
  const before = await page.getByTestId("dropoff").inputValue();

  // By the arrow keys: a pointer's way ends in the same place.
  const pin = page.getByRole("button", { name: /^Move the dropoff/ });
  await pin.focus();
  for (let i = 0; i < 12; i++) await page.keyboard.press("ArrowRight");
  await expect.poll(() => page.getByTestId("dropoff").inputValue(), { timeout: 30_000 }).not.toBe(before);
  await expect.poll(() => valueOf(page, "quote-price"), { timeout: 30_000 }).not.toBe(price);
  await screenshot(page, "dragged");
  await page.context().close();
});

test("who waits reads what the ride's history has, and cancels; the trip is asked for again", async () => {
  const page = await riderPage();
  await page.getByTestId("short-trip").click();
  await page.getByTestId("book").click();
  await page.getByTestId("ride-id").waitFor();
  const id = await valueOf(page, "ride-id");
  expect(await page.getByTestId("phase-asked").getAttribute("data-value")).toBe("1.00");
  await screenshot(page, "waiting");

  // It may be driven before this is looked at: then there is nobody to wait for.
  const refusals = async () => (await sql<{ n: number }>("SELECT count(*)::int AS n FROM ride.ride_events WHERE ride_id = $1 AND kind = 'refused'", id))[0]?.n;
  const told = async () => (await page.getByTestId("waiting").isVisible()) ? Number(await valueOf(page, "waiting").catch(() => NaN)) : NaN;
  const said = await told();
  if (!Number.isNaN(said)) expect(said).toBeLessThanOrEqual((await refusals()) ?? NaN);

  await page.getByTestId("cancel").click();
  await expect.poll(() => valueOf(page, "ride-state"), { timeout: 30_000 }).toBe("cancelled");
  expect((await sql<{ state: string }>("SELECT state FROM ride.rides WHERE id = $1", id))[0]?.state).toBe("cancelled");
  expect(await clippedTexts(page)).toEqual([]);
  expect(await accessibilityFaults(page)).toEqual([]);
  await screenshot(page, "cancelled");

  await page.getByTestId("again").click();
  await page.getByTestId("quote").waitFor();
  expect(await page.getByTestId("pickup").inputValue()).toBe("Plaza Independencia");
  await page.context().close();
});

test("on a phone the ride is a sheet in three heights, by finger, press and keyboard", async () => {
  const page = await openPage(browser, { ...desktop, name: "phone-light", viewport: { width: 390, height: 844 } });
  await page.goto(`${url}/rider`);
  await page.getByTestId("sign-in").click();
  await page.getByTestId("short-trip").click();
  await page.getByTestId("book").click();
  const handle = page.getByTestId("sheet");
  await handle.waitFor({ timeout: 60_000 });

  const top = async () => (await handle.boundingBox())?.y ?? NaN;
  const step = (n: string) => expect.poll(() => valueOf(page, "sheet")).toBe(n);
  await step("2");
  const half = await top();

  await handle.click();
  await step("3");
  await expect.poll(top, { timeout: 30_000 }).toBeLessThan(half - 100);
  await screenshot(page, "sheet-3");
  await handle.press("ArrowDown");
  await handle.press("ArrowDown");
  await step("1");
  await expect.poll(top, { timeout: 30_000 }).toBeGreaterThan(half + 50);
  await screenshot(page, "sheet-1");

  // The ride goes on meanwhile, and a line more moves the handle away from the finger.
  const pull = async () => {
    await handle.hover();
    const box = await handle.boundingBox();
    if (!box) return;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x, y - 100, { steps: 4 });
    await page.mouse.up();
  };
  await expect.poll(async () => {
    if ((await valueOf(page, "sheet")) === "1") await pull();
    return valueOf(page, "sheet");
  }, { timeout: 30_000 }).toBe("2");
  await page.context().close();
});
