import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Bounds } from "../../src/map/projection";
import { fixesOf, metres, placesAt, type Fix } from "../fixes";
import { mapLibreShown, viewOf } from "../look";
import { accessibilityFaults, desktop, openBrowser, openPage, screenshot, url } from "../world";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const slow = { timeout: 90_000 };

test("the list beside the map has the same cars, with the speeds of the database", async () => {
  const page = await openPage(browser, desktop);
  const view = viewOf(page);
  await page.goto(url);
  await expect.poll(async () => Number(await page.getByTestId("fleet").getAttribute("data-vehicles")), slow).toBeGreaterThan(5);
  await mapLibreShown(page);
  await page.getByRole("button", { name: "As a list: Cars" }).focus();
  await page.keyboard.press("Enter");
  await page.getByTestId("car-row").first().waitFor(slow);
  await expect.poll(() => page.getByTestId("car-row").first().innerText(), slow).toMatch(/^\d+\s+\p{L}.*\s(north|south|east|west)\S*, \d+ km\/h\s+\d+ s ago$/su);
  await screenshot(page, "cars-list");
  expect(await accessibilityFaults(page)).toEqual([]);

  // Listed again each second: the rows of one moment.
  const { at, rows, said } = await page.evaluate(() => new Promise<{ at: number; said: number; rows: { lat: number; lon: number; speed: number }[] }>((resolve) => {
    const list = document.querySelector("[data-testid=cars-listed]")?.parentElement;
    new MutationObserver((_, observer) => {
      observer.disconnect();
      const rows = [...document.querySelectorAll<HTMLElement>("[data-testid=car-row]")].map(({ dataset }) => ({ lat: Number(dataset["lat"]), lon: Number(dataset["lon"]), speed: Number(dataset["speed"]) }));
      resolve({ at: Date.now(), said: Number(document.querySelector<HTMLElement>("[data-testid=cars-listed]")?.dataset["value"]), rows });
    }).observe(list!, { subtree: true, attributes: true, attributeFilter: ["data-lat"] });
  }));
  expect(rows.length).toBe(said);

  let drivers: Fix[][] = [];
  await expect.poll(async () => {
    drivers = await fixesOf(at - 5000, at + 15_000);
    return drivers.filter((fixes) => fixes.at(-1)!.at > at + 1000).length / drivers.length;
  }, { ...slow, interval: 1000 }).toBeGreaterThan(0.95);

  // Cars at the edges come and go within that second: as many within a tenth, or 3.
  const { north, south, east, west } = view() as Bounds;
  const within = placesAt(drivers, at).filter((p) => p.lat < north && p.lat > south && p.lon < east && p.lon > west).length;
  expect(Math.abs(rows.length - within), `${rows.length} listed, ${within} in the database`).toBeLessThanOrEqual(Math.max(3, within / 10));

  const right = rows.filter((row) => {
    const near = drivers.flat().filter((f) => Math.abs(f.at - at) < 4000).sort((a, b) => metres(a, row) - metres(b, row)).slice(0, 3);
    return near.some((f) => Math.abs(f.speed - row.speed) < 0.1);
  });
  expect(right.length / rows.length, "rows with the speed of a fix that is near").toBeGreaterThanOrEqual(0.9);
  await page.context().close();
});
