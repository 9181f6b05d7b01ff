import type { CDPSession } from "playwright-core";
import { expect, test } from "vitest";
import { desktop, openBrowser, openPage, url } from "../world";

// A page that is left open does not grow: what it keeps of the past (tails, series,
// events) has a bound.

const length = Number(process.env.TANDEM_SOAK_MS ?? 0); // ms
const warmUp = Math.min(600_000, length / 4); // until all bounded pasts are full, and the browser has compiled what is hot
const paths = ["/", "/rider", "/driver", "/admin"];

/** Bytes of the page's own objects, once what nobody refers to has gone. */
async function heap(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  return (await session.send("Runtime.getHeapUsage")).usedSize;
}

test("no page's heap grows by more than a tenth", { timeout: length + 300_000 }, async () => {
  expect(length, "TANDEM_SOAK_MS: run it with make soak").toBeGreaterThan(0);
  const browser = await openBrowser();
  const pages: { path: string; session: CDPSession }[] = [];
  for (const path of paths) {
    const page = await openPage(browser, desktop, "nobody");
    await page.goto(url + path);
    if (path !== "/") await page.getByTestId("sign-in").click();
    pages.push({ path, session: await page.context().newCDPSession(page) });
  }

  const measure = () => Promise.all(pages.map(async ({ path, session }) => [path, await heap(session)] as const));
  await new Promise((over) => setTimeout(over, warmUp));
  const before = new Map(await measure());
  await new Promise((over) => setTimeout(over, length - warmUp));

  const grown = (await measure()).map(([path, bytes]) => ({ path, before: before.get(path) ?? NaN, bytes, by: bytes / (before.get(path) ?? NaN) - 1 }));
  for (const g of grown) console.log(`${g.path}: ${(g.before / 1e6).toFixed(2)} MB, then ${(g.bytes / 1e6).toFixed(2)} MB: ${(g.by * 100).toFixed(1)} %`);
  for (const g of grown) expect(g.by, g.path).toBeLessThanOrEqual(0.1);
  await browser.close();
});
