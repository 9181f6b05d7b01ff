import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openOwnSession } from "../six-maps";
import { desktop, openBrowser, openPage, screenshot } from "../world";
import { frozen, kill, pid } from "./processes";

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await openBrowser();
  page = await openPage(browser, desktop);
  await openOwnSession(page);
  await page.locator("[data-testid=sent][data-value]:not([data-value='0'])").waitFor({ timeout: 60_000 });
  await page.evaluate(() => (document.body.dataset["mark"] = "same"));
}, 150_000);
afterAll(() => browser?.close());

const sent = () => page.evaluate(() => Number(document.querySelector<HTMLElement>("[data-testid=sent]")?.dataset["value"] ?? NaN));
const trouble = () => page.getByTestId("trouble").innerText();

/** Waits until the page counts on by itself: it was never loaded again. */
async function recovered(): Promise<void> {
  await page.getByTestId("trouble").waitFor({ state: "detached", timeout: 60_000 });
  const before = await sent();
  await expect.poll(sent, { timeout: 60_000 }).not.toBe(before);
  expect(await page.evaluate(() => document.body.dataset["mark"])).toBe("same");
}

test("with compare frozen the page says so, and goes on by itself", async () => {
  await frozen("compare", async (since) => {
    await page.getByTestId("trouble").waitFor({ timeout: 20_000 });
    expect(Date.now() - since).toBeLessThan(3000 + 4000); // promised, and a busy machine's drawing
    expect(await trouble()).toMatch(/^No answer for \d+ s\. What is shown is of \d\d:\d\d:\d\d/);
    await screenshot(page, "frozen-compare");
  });
  await recovered();
});

test("with queue and stream frozen nothing new is sent, and the page says so", async () => {
  await frozen("emulator", async (since) => {
    await page.getByTestId("trouble").waitFor({ timeout: 20_000 });
    expect(Date.now() - since).toBeLessThan(3000 + 4000);
    await expect.poll(trouble, { timeout: 30_000 }).toMatch(/^No new point for \d+ s|^SQS, SNS or Kinesis does not take points/);
    await page.waitForTimeout(4000); // counts are of three seconds ago
    const before = await sent();
    await page.waitForTimeout(3000);
    expect(await sent(), "nothing is counted on").toBe(before);
    await screenshot(page, "frozen-compare-emulator");
  });
  await recovered();
});

test("with compare killed the page goes on with a new session, and says that it is one", async () => {
  const before = pid("compare");
  kill(before);
  await expect.poll(trouble, { timeout: 60_000 }).toContain("The session that you looked at has ended. This is a new one");
  expect(pid("compare")).not.toBe(before);
  await screenshot(page, "killed-compare");
  await recovered();
});
