import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { metresBetween } from "../../src/map/geo";
import { mercatorX, mercatorY, unproject, type Bounds, type LatLon } from "../../src/map/projection";
import { fixesOf, metres, placesAt, type Fix } from "../fixes";
import { mapLibreShown, viewOf } from "../look";
import { desktop, openBrowser, openPage, url } from "../world";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const slow = { timeout: 90_000 };

/** The middles of the cars on the canvas, in its pixels, and when they were drawn: spots of one colour that are as large as a car. */
const carsOn = (page: Page) =>
  page.evaluate(async () => {
    // A frame may have been drawn long ago on a busy machine. This one comes after the page's own of now.
    await new Promise(requestAnimationFrame);
    const at = Date.now();
    const canvas = document.querySelector<HTMLCanvasElement>("[data-testid=fleet]");
    const { data, width, height } = canvas!.getContext("2d")!.getImageData(0, 0, canvas!.width, canvas!.height);
    const left = new Set<number>();
    for (let i = 0; i < width * height; i++) {
      const [r, g, b, a] = [data[i * 4]!, data[i * 4 + 1]!, data[i * 4 + 2]!, data[i * 4 + 3]!];
      if (a === 255 && b > 150 && b - r > 90 && b - g > 60) left.add(i);
    }

    const cars: { x: number; y: number }[] = [];
    for (const seed of left) {
      const [spot, open] = [[] as number[], [seed]];
      left.delete(seed);
      for (let i = open.pop(); i !== undefined; i = open.pop()) {
        spot.push(i);
        for (const next of [i - 1, i + 1, i - width, i + width]) if (left.delete(next)) open.push(next);
      }
      if (spot.length < 25 || spot.length > 160) continue; // a crumb, or two cars in one
      cars.push({ x: spot.reduce((sum, i) => sum + (i % width), 0) / spot.length, y: spot.reduce((sum, i) => sum + Math.floor(i / width), 0) / spot.length });
    }
    return { at, cars, width, height };
  });

/** Metres from a place to the nearest of some streets. */
function toStreet(streets: [number, number][][], place: LatLon): number {
  let best = Infinity;
  for (const line of streets)
    for (let i = 0; i + 1 < line.length; i++) {
      const [a, b] = [line[i]!, line[i + 1]!].map(([lon, lat]) => ({ lat, lon })) as [LatLon, LatLon];
      if (Math.abs(a.lat - place.lat) > 0.01 || Math.abs(a.lon - place.lon) > 0.01) continue;
      const [[n, e], [pn, pe]] = [metresBetween(a, b), metresBetween(a, place)];
      const part = n * n + e * e === 0 ? 0 : Math.min(Math.max((pn * n + pe * e) / (n * n + e * e), 0), 1);
      best = Math.min(best, Math.hypot(pn - n * part, pe - e * part));
    }
  return best;
}

const width = (b: Bounds | undefined) => (b ? b.east - b.west : NaN);

test("cars are drawn where the database has them at that time, and on a street", async () => {
  const page = await openPage(browser, desktop);
  const view = viewOf(page);
  await page.goto(`${url}/rider`); // where cars have no tails
  await expect.poll(async () => Number(await page.getByTestId("fleet").getAttribute("data-vehicles")), slow).toBeGreaterThan(5);
  await mapLibreShown(page);
  const wide = width(view());
  await page.getByRole("button", { name: "Zoom in" }).click();
  await expect.poll(() => width(view()), slow).toBeLessThan(wide * 0.6); // told once the map is at rest

  const samples: { place: LatLon; at: number }[] = [];
  await expect.poll(async () => {
    const bounds = view() as Bounds;
    const { at, cars, width, height } = await carsOn(page);
    const [west, east, north, south] = [mercatorX(bounds.west), mercatorX(bounds.east), mercatorY(bounds.north), mercatorY(bounds.south)];
    const p = { x: (west + east) / 2, y: (north + south) / 2, worldSize: width / (east - west), width, height };

    // Only where the view and the picture are of one time, and of data that is of now.
    const fresh = (await page.getByTestId("fleet").getAttribute("data-age")) === "fresh";
    if (fresh && Math.abs((south - north) * p.worldSize - height) < 2) samples.push(...cars.map(({ x, y }) => ({ place: unproject(p, x, y), at })));
    return samples.length;
  }, { ...slow, interval: 1500 }).toBeGreaterThan(80);

  // History has all of them once each driver of that time has a later fix as well.
  const [first, last] = [Math.min(...samples.map((s) => s.at)), Math.max(...samples.map((s) => s.at))];
  let drivers: Fix[][] = [];
  await expect.poll(async () => {
    drivers = await fixesOf(first - 5000, last + 15_000);
    const whole = drivers.filter((fixes) => fixes.at(-1)!.at > last + 1000);
    return whole.length / drivers.length;
  }, { ...slow, interval: 1000 }).toBeGreaterThan(0.95); // drivers come and go

  const off = samples.map(({ place, at }) => Math.min(Infinity, ...placesAt(drivers, at).map((p) => metres(p, place)))).sort((a, b) => a - b);
  const read = (name: string) => JSON.parse(gunzipSync(readFileSync(new URL(`../../../services/domain/city/data/map/${name}.json.gz`, import.meta.url))).toString()) as { features: { geometry: { coordinates: [number, number][][] } }[] };
  const streets = ["mains", "streets", "paths"].flatMap((name) => read(name).features.flatMap((f) => f.geometry.coordinates));
  const beside = samples.slice(0, 80).map(({ place }) => toStreet(streets, place)).sort((a, b) => a - b);

  const share = (all: number[], limit: number) => all.filter((m) => m <= limit).length / all.length;
  const said = `${samples.length} cars: ${(share(off, 25) * 100).toFixed(0)} % within 25 m of a driver's way at that time (median ${off[off.length >> 1]?.toFixed(0)} m), ${(share(beside, 15) * 100).toFixed(0)} % within 15 m of a street (median ${beside[40]?.toFixed(0)} m)`;
  console.info(said);
  // 96 % on a quiet machine of two cores, and 90 is the aim. Cars drive four times as fast as the street allows: half a second is 25 m.
  expect(share(off, 25), said).toBeGreaterThanOrEqual(0.8);
  expect(share(beside, 15), said).toBeGreaterThanOrEqual(0.9); // 99 % there, and 95 is the aim
  await page.context().close();
});
