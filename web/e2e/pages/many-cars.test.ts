import type { Browser, Page } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Projection } from "../../src/map/projection";
import { desktop, openBrowser, openPage } from "../world";

// The real fleet and the real drawing, with 5,000 cars that nobody has to drive.
let server: ViteDevServer;
let browser: Browser;
beforeAll(async () => {
  const root = new URL("../..", import.meta.url).pathname;
  server = await createServer({ root, configFile: false, logLevel: "error", server: { port: 0, host: "127.0.0.1", hmr: false, watch: null } });
  await server.listen();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

declare global {
  interface Window {
    app: typeof import("../../src/map/fleet") & typeof import("../../src/map/crowd") & typeof import("../../src/map/scene") & typeof import("../../src/map/projection");
    show: (view: Projection) => void; // pans
    places: () => { x: number; y: number }[]; // where cars should be now, in pixels
    drawn: (asCrowd: boolean, ms: number) => Promise<number>; // draws on each frame; the median time between two
  }
}

const size = { width: 1440, height: 900 };
const views = { centre: { lat: -34.9, lon: -56.173 }, north: { lat: -34.875, lon: -56.15 } };

// By a script of the page: vitest would rewrite an import of the function that is sent there.
const modules = ["fleet", "crowd", "scene", "projection"].map((name) => `/src/map/${name}.ts`);
const blank = `<body style="margin: 0"><canvas width="1440" height="900"></canvas><script type="module">
  window.app = Object.assign({}, ...await Promise.all(${JSON.stringify(modules)}.map((path) => import(path))));
</script>`;

async function openFleet(): Promise<Page> {
  const page = await openPage(browser, desktop);
  await page.route("**/blank", (route) => route.fulfill({ contentType: "text/html", body: blank }));
  await page.goto(`${server.resolvedUrls?.local[0]}blank`);

  await page.waitForFunction(() => window.app !== undefined, undefined, { timeout: 60_000 });
  await page.evaluate(({ views, size }) => {
    const { Fleet, Crowd, drawScene, mercatorX, mercatorY, screenX, screenY } = window.app;
    const cars = Array.from({ length: 5000 }, (_, i) => ({
      id: i + 1, lat: -34.94 + ((i * 7919) % 5000) / 62_500, lon: -56.24 + i / 38_000, speed: 12, heading: (i * 37) % 360, at: 0, behind: 0,
    }));
    const fleet = new Fleet();
    const drive = (from: number, to: number, now: number) => {
      for (const car of cars.slice(from, to)) {
        const angle = (car.heading * Math.PI) / 180;
        car.lat += (Math.cos(angle) * 12) / 111_320;
        car.lon += (Math.sin(angle) * 12) / 91_300;
        car.at = now;
      }
      fleet.apply({ all: false, serverTime: now, behind: 0, vehicles: cars.slice(from, to).map((c) => ({ ...c })) }, now);
    };

    // A quarter of them four times a second, as the server sends them.
    drive(0, 5000, Date.now());
    let quarter = 0;
    setInterval(() => drive(quarter * 1250, ++quarter * 1250, Date.now()), 250);
    setInterval(() => (quarter %= 4), 50);

    let view: Projection = { x: mercatorX(views.centre.lon), y: mercatorY(views.centre.lat), worldSize: 512 * 2 ** 13, ...size };
    const [crowd, ctx] = [new Crowd(), document.querySelector("canvas")?.getContext("2d")];
    window.show = (v) => (view = v);
    window.places = () => {
      const places: { x: number; y: number }[] = [];
      fleet.forEach(Date.now(), (_, lat, lon) => places.push({ x: screenX(view, lon), y: screenY(view, lat) }));
      return places;
    };
    window.drawn = (asCrowd, ms) =>
      new Promise((resolve) => {
        const [gaps, began]: [number[], number] = [[], performance.now()];
        let last = began;
        const frame = () => {
          const now = performance.now();
          gaps.push(now - last);
          last = now;
          fleet.sweep();
          if (ctx) drawScene(ctx, view, fleet, {}, false, Date.now(), asCrowd ? crowd : undefined);
          if (now - began < ms) requestAnimationFrame(frame);
          else resolve(gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0);
        };
        requestAnimationFrame(frame);
      });
  }, { views, size });
  return page;
}

/** The share of the cars that should be on the screen where there is a car's blue. */
const shareDrawn = (page: Page) =>
  page.evaluate(() => {
    const data = document.querySelector("canvas")?.getContext("2d")?.getImageData(0, 0, 1440, 900).data ?? [];
    const blue = ({ x, y }: { x: number; y: number }) => {
      const i = (Math.round(y) * 1440 + Math.round(x)) * 4;
      return (data[i + 2] ?? 0) > 150 && (data[i] ?? 255) < 100 && data[i + 3] === 255;
    };
    const inView = window.places().filter(({ x, y }) => x > 10 && y > 10 && x < 1430 && y < 890);
    return inView.filter(blue).length / inView.length;
  });

test("5,000 cars leave the script most of a 30th of a second, and the browser draws them twice as often as by paths", async () => {
  const page = await openFleet();
  await page.evaluate(() => window.drawn(true, 1000)); // the browser compiles what is slow

  // What it costs is what it takes undisturbed: others share the processor and its caches, and of four looks the best counts.
  const limit = Number(process.env.TANDEM_FRAME_MS ?? 20); // 8 to 12 where nothing else runs
  let [script, rate] = [Infinity, 0];
  for (let looks = 0; looks < 4 && (script > limit || rate < 2); looks++) {
    await browser.startTracing(page, { categories: ["devtools.timeline"] });
    const asCrowd = await page.evaluate(() => window.drawn(true, 4000));
    const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: { name: string; tdur?: number }[] };
    const asPaths = await page.evaluate(() => window.drawn(false, 4000));

    // The time that the processor spent on it: others may have it meanwhile.
    const ms = trace.traceEvents.filter((e) => e.name === "FireAnimationFrame" && e.tdur !== undefined).map((e) => (e.tdur ?? 0) / 1000).sort((a, b) => a - b);
    const [median, p95] = [ms[Math.floor(ms.length / 2)] ?? NaN, ms[Math.floor(ms.length * 0.95)] ?? NaN];
    console.info(`script a frame: ${median.toFixed(1)} ms median, ${p95.toFixed(1)} ms p95 of ${ms.length}; a frame each ${asCrowd.toFixed(0)} ms, by paths each ${asPaths.toFixed(0)} ms`);
    expect(ms.length).toBeGreaterThan(10);
    script = Math.min(script, median);
    rate = Math.max(rate, asPaths / asCrowd);
  }
  expect(script).toBeLessThanOrEqual(limit);
  expect(rate).toBeGreaterThanOrEqual(2);
  await page.context().close();
}, 120_000);

test("5,000 cars are where they should be, also half a second after the map was moved", async () => {
  const page = await openFleet();
  await page.evaluate(() => window.drawn(true, 500));
  expect(await shareDrawn(page)).toBeGreaterThan(0.75); // the others lie beneath another car's edge

  await page.evaluate(({ lat, lon, size }) => {
    const sine = Math.sin((lat * Math.PI) / 180);
    window.show({ x: lon / 360 + 0.5, y: 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI), worldSize: 512 * 2 ** 14, ...size });
  }, { ...views.north, size });
  await page.evaluate(() => window.drawn(true, 400));
  expect(await shareDrawn(page)).toBeGreaterThan(0.75); // the others lie beneath another car's edge
  await page.context().close();
}, 120_000);
