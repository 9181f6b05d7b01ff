import type { Page } from "playwright-core";
import { url } from "./world";

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
