import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cityFiles, type CityFile } from "../../src/map/city-files";
import { light } from "../../src/map/colours";
import { contains, mapped, mercatorX, mercatorY, type Bounds, type LatLon } from "../../src/map/projection";
import { coloursAt, viewOf } from "../look";
import { desktop, openBrowser, openPage, screens, screenshot, url } from "../world";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const vehicles = (page: Page) => page.getByTestId("fleet").getAttribute("data-vehicles");

/** The pixel of the screen at which the map has a place. */
async function pixelOf(page: Page, view: Bounds, { lat, lon }: LatLon): Promise<{ x: number; y: number }> {
  const box = await page.getByTestId("fleet").boundingBox();
  if (!box) throw new Error("the map has no size");
  const [west, east, north, south] = [mercatorX(view.west), mercatorX(view.east), mercatorY(view.north), mercatorY(view.south)];

  return {
    x: box.x + ((mercatorX(lon) - west) / (east - west)) * box.width,
    y: box.y + ((mercatorY(lat) - north) / (south - north)) * box.height,
  };
}

test("water is where water is, and land where land is", async () => {
  const page = await openPage(browser, desktop);
  const view = viewOf(page);
  await page.goto(url);
  await expect.poll(() => vehicles(page), { timeout: 30_000 }).not.toBeNull(); // the map is drawn

  const water = {
    "the bay": { lat: -34.886, lon: -56.228 },
    "the bay's mouth": { lat: -34.908, lon: -56.225 },
    "off the Rambla": { lat: -34.9245, lon: -56.2 },
    "off Pocitos": { lat: -34.9165, lon: -56.144 },
  };
  await expect.poll(view, { timeout: 30_000 }).toBeDefined();
  const bounds = view()!;
  const pixels = await Promise.all(Object.values(water).map((place) => pixelOf(page, bounds, place)));
  const colours = await coloursAt(page, pixels);
  expect(Object.fromEntries(Object.keys(water).map((name, i) => [name, colours[i]]))).toEqual(
    Object.fromEntries(Object.keys(water).map((name) => [name, light.sea])),
  );

  const [square] = await coloursAt(page, [await pixelOf(page, bounds, { lat: -34.9063, lon: -56.1995 })]);
  expect(square).not.toBe(light.sea);
  await page.context().close();
});

describe.each(screens)("on $name", (screen) => {
  test("the map ends where its data ends, however far one zooms out", async () => {
    const page = await openPage(browser, screen);
    const view = viewOf(page);
    await page.goto(url);
    await expect.poll(() => vehicles(page), { timeout: 30_000 }).not.toBeNull();

    const width = () => (view()?.east ?? 0) - (view()?.west ?? 0);
    for (let zoom = 0; zoom < 6; zoom++) {
      const before = width();
      await page.getByRole("button", { name: "Zoom out" }).click();

      // It moves, unless it is out as far as it goes.
      await expect.poll(width, { timeout: 1500 }).toBeGreaterThan(before).catch(() => undefined);
    }
    await screenshot(page, `zoomed-out-${screen.name}`);

    const slack = 1e-6;
    const limits = { west: mapped.west - slack, south: mapped.south - slack, east: mapped.east + slack, north: mapped.north + slack };
    expect(view()).toSatisfy((v: Bounds) => contains(limits, v));
    await page.context().close();
  });
});

test("a box in the address leads elsewhere, where recorded trips may be", async () => {
  const page = await openPage(browser, desktop);
  const view = viewOf(page);
  await page.goto(`${url}/?box=-8.7,41.1,-8.5,41.2`);

  await expect.poll(view, { timeout: 30_000 }).toSatisfy((v: Bounds) => contains(v, { west: -8.7, south: 41.1001, east: -8.5, north: 41.1999 }));
  await page.context().close();
});

test("the first cars do not wait for MapLibre, which takes the plain map's place where one is looking", async () => {
  const page = await openPage(browser, desktop);
  const view = viewOf(page);
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(/\/assets\/maplibre-/, async (route) => {
    await held;
    await route.continue();
  });

  await page.goto(url);
  await expect.poll(async () => Number(await vehicles(page)), { timeout: 30_000 }).toBeGreaterThan(5);
  await page.getByRole("button", { name: "Zoom in" }).click();
  const before = view();
  if (!before) throw new Error("the page has told no view");

  // MapLibre's canvas lies beneath until it shows the same.
  release?.();
  await page.locator(".maplibregl-canvas").waitFor({ state: "attached", timeout: 60_000 });
  await expect.poll(() => page.getByTestId("base").locator("canvas").count(), { timeout: 60_000 }).toBe(1);
  expect(await page.locator(".maplibregl-canvas").count()).toBe(1);
  const after = view();
  for (const edge of ["west", "east", "north", "south"] as const) expect(after?.[edge]).toBeCloseTo(before[edge], 4);
  await page.context().close();
});

test("what is drawn close up is fetched close up, and the browser keeps the city for good", async () => {
  const page = await openPage(browser, desktop);
  const fetched = new Map<string, string | undefined>();
  page.on("response", (r) => {
    const name = /\/city\/.*\/map\/([a-z-]+)\.json/.exec(r.url())?.[1];
    if (name) fetched.set(name, r.headers()["cache-control"]);
  });

  await page.goto(url);
  await page.locator(".maplibregl-canvas").waitFor({ timeout: 60_000 });
  await expect.poll(() => page.getByTestId("base").locator("canvas").count(), { timeout: 60_000 }).toBe(1);
  const first = (Object.keys(cityFiles) as CityFile[]).filter((file) => cityFiles[file] === 0);
  expect([...fetched.keys()].sort()).toEqual(first.sort());
  expect([...new Set(fetched.values())]).toEqual(["public, max-age=31536000, immutable"]);

  await expect.poll(async () => {
    await page.getByRole("button", { name: "Zoom in" }).click();
    return fetched.has("paths");
  }, { timeout: 60_000, interval: 1000 }).toBe(true);
  expect(fetched.size).toBe(Object.keys(cityFiles).length);
  await page.context().close();
});

test("cars come after the map that they drive on", async () => {
  const page = await openPage(browser, desktop);
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/city/*/map/mains.json", async (route) => {
    await held;
    await route.continue();
  });
  const positions = new Promise<void>((resolve) =>
    page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => typeof payload !== "string" && resolve())),
  );

  await page.goto(url);
  await positions;
  expect(await vehicles(page)).toBeNull();

  release?.();
  await expect.poll(async () => Number(await vehicles(page)), { timeout: 30_000 }).toBeGreaterThan(5);
  await page.context().close();
});

test("a tab that is hidden hears nothing, and goes on where it is seen again", async () => {
  const page = await openPage(browser, desktop);
  const sockets: { closed: boolean }[] = [];
  page.on("websocket", (socket) => {
    const kept = { closed: false };
    sockets.push(kept);
    socket.on("close", () => (kept.closed = true));
  });
  await page.goto(url);
  await expect.poll(async () => Number(await vehicles(page)), { timeout: 30_000 }).toBeGreaterThan(5);
  const show = (state: string) =>
    page.evaluate((state) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);

  await show("hidden");
  await expect.poll(() => sockets.every((s) => s.closed), { timeout: 30_000 }).toBe(true);
  const before = sockets.length;

  await show("visible");
  await expect.poll(() => sockets.filter((s) => !s.closed).length, { timeout: 30_000 }).toBe(1);
  expect(sockets.length).toBe(before + 1);
  await expect.poll(() => page.getByTestId("fleet").getAttribute("data-age"), { timeout: 30_000 }).toBe("fresh");
  await page.context().close();
});
