import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clippedTexts, consoleErrors, smallTargets } from "../look";
import { accessibilityFaults, desktop, isPhone, openBrowser, openPage, screens, screenshot, url } from "../world";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

async function open(page: Page, path: string): Promise<void> {
  await page.goto(url + path);
  await page.getByTestId("lesson").waitFor();
}

/** The addresses of all chapters, as the contents have them. */
const chapters = (page: Page) =>
  page.locator('nav[aria-label=Chapters] a[href*="chapter="]').evaluateAll((as) => [...new Set(as.map((a) => a.getAttribute("href") ?? ""))]);

describe.each(screens)("on $name", (screen) => {
  test("every chapter can be read, and its links lead to pages that are there", { timeout: 480_000 }, async () => {
    const page = await openPage(browser, screen);
    const errors = consoleErrors(page);
    await open(page, "/learn");
    const all = await chapters(page);
    expect(all.length).toBeGreaterThanOrEqual(3);

    for (const path of all) {
      await open(page, path);
      expect(await clippedTexts(page), path).toEqual([]);
      if (isPhone(screen)) expect(await smallTargets(page), path).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} does not scroll sideways`).toBe(true);
      expect(await accessibilityFaults(page), path).toEqual([]);
      await screenshot(page, `learn-${path.replace(/\D/g, "")}-${screen.name}`);

      const links = await page.locator("article a").evaluateAll((as) => as.map((a) => a.getAttribute("href") ?? ""));
      for (const link of links.filter((l) => l.startsWith("/"))) {
        const answer = await page.request.get(url + link, { headers: { Accept: "text/html" } });
        expect(answer.status(), `${path} leads to ${link}`).toBe(200);
      }
      for (const link of links.filter((l) => l.startsWith("#"))) await page.locator(link).waitFor({ state: "attached" });
    }
    expect(errors).toEqual([]);
    await page.context().close();
  });
});

test("a prediction is made by keyboard, told again under Why, and remembered", async () => {
  const page = await openPage(browser, desktop);
  await open(page, "/learn?chapter=2");
  expect(await page.getByTestId("chosen").innerText()).toContain("You have chosen nothing yet");

  await page.getByRole("radio").first().focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("ArrowDown");
  expect(await page.getByTestId("chosen").innerText()).toBe("You chose (b).");

  await page.reload();
  await page.getByTestId("lesson").waitFor();
  expect(await page.getByRole("radio", { checked: true }).getAttribute("value")).toBe("b");
  expect(await page.getByTestId("chosen").innerText()).toBe("You chose (b).");
  await page.context().close();
});

test("a command is copied as it stands, without what is said about it", async () => {
  const page = await openPage(browser, desktop);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, "/learn?chapter=1");

  await page.getByRole("button", { name: "Copy" }).first().click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^make demo\n?$/);
  await page.context().close();
});

test("an address with an anchor leads to its place, and one without a chapter says so", async () => {
  const page = await openPage(browser, desktop);
  await open(page, "/learn?chapter=1#why");
  await expect.poll(() => page.locator("#why").evaluate((e) => Math.abs(e.getBoundingClientRect().top) < innerHeight / 2)).toBe(true);
  await page.locator("nav[aria-label=Chapters] [aria-current=page]:visible").waitFor();

  await open(page, "/learn?chapter=1000");
  expect(await page.getByRole("alert").innerText()).toContain("There is no such chapter");
  await page.context().close();
});
