import type { Page } from "playwright-core";
import { expect } from "vitest";
import { duplicatesOf, newestSession } from "./aws";
import { url, valueOf } from "./world";

const settling = 3000; // ms: the page counts what was sent so long ago
const slack = 8000; // ms for a look, its answer and the drawing on a busy machine

export const sent = async (page: Page) => Number(await valueOf(page, "sent"));
export const have = async (page: Page, side: string, team: number) => Number(await valueOf(page, `${side}-${team}-have`));

/** All that the page says at one moment: it changes with each second. */
export const said = (page: Page) =>
  page.evaluate(() => {
    const value = (id: string) => Number(document.querySelector<HTMLElement>(`[data-testid="${id}"]`)?.dataset["value"] ?? NaN);
    const side = (s: string) => [0, 1, 2, 3].map((t) => value(`${s}-${t}-have`)).filter((n) => !Number.isNaN(n));
    const total = document.querySelector<HTMLElement>("[data-testid=queue-total]")?.dataset ?? {};
    return { union: Number(total["union"]), twice: Number(total["twice"]), n: value("sent"), queue: side("queue"), stream: side("stream"), sum: value("queue-sum"), missed: [value("queue-missed"), value("stream-missed")], at: Date.now() };
  });
export const sum = (all: number[]) => all.reduce((a, b) => a + b, 0);
export const verdict = (page: Page, side: string) => page.getByTestId(`${side}-verdict`).innerText();

/**
 * Opens Six maps with a session of the page's own. The one before goes on for a while, and
 * whoever had its buttons may not have been missed yet.
 */
export async function openOwnSession(page: Page): Promise<void> {
  await page.goto(`${url}/compare`);
  const restart = page.getByTestId("restart");
  await restart.waitFor();

  for (const end = Date.now() + 60_000; !(await isFresh(page)); await page.waitForTimeout(2500)) {
    if (Date.now() > end) throw new Error("the buttons of Six maps are somebody else's");
    if (await restart.isEnabled()) await restart.click();
  }
}

async function isFresh(page: Page): Promise<boolean> {
  // All at once: between two questions the element may go.
  const [n = null] = await page.getByTestId("sent").evaluateAll((all) => all.map((el) => el.getAttribute("data-value")));
  const refused = (await page.getByTestId("whose").count()) + (await page.getByTestId("problem").count()) > 0;
  return n !== null && Number(n) < 100 && !refused;
}

/** The page's N is what lies on the stream, as of the time that it says. */
export async function expectSent(page: Page): Promise<void> {
  const { n, at } = await said(page);
  const records = await newestSession("compare-points");
  const ids = (before: number) => new Set(records.filter((r) => r.arrived <= before).map((r) => r.n)).size;

  expect(n).toBeLessThanOrEqual(ids(at));
  expect(n).toBeGreaterThanOrEqual(ids(at - settling - slack));
}

/**
 * The left's teams have N together, and no more beyond it than the queue has delivered
 * twice; each of the right's has N.
 */
export async function expectWhole(page: Page, teams: number, duplicatesBefore: number | undefined): Promise<void> {
  await expect.poll(async () => {
    const s = await said(page);
    return [s.queue.length, s.union - s.n, s.sum - sum(s.queue), ...s.stream.map((h) => h - s.n)];
  }, { timeout: 30_000 }).toEqual([teams, 0, 0, ...Array.from({ length: teams }, () => 0)]);

  const s = await said(page);
  expect(s.sum - s.union).toBeGreaterThanOrEqual(0);
  expect(s.twice).toBeGreaterThanOrEqual(s.sum - s.union);
  const duplicates = await duplicatesOf("compare-points");
  if (duplicates !== undefined && duplicatesBefore !== undefined) expect(s.twice).toBeLessThanOrEqual(duplicates - duplicatesBefore);
}
