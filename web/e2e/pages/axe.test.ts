import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityFaults, openBrowser, openPage, screens, screenshot, url } from "../world";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

describe.each(screens)("on $name", (screen) => {
  test.each(["/", "/rider", "/driver", "/compare", "/learn", "/admin"])("%s has no fault that axe knows", async (path) => {
    const page = await openPage(browser, screen);
    await page.goto(url + path);

    await page.getByRole(path === "/" ? "link" : "button").first().waitFor();
    if (path === "/admin") {
      await page.getByTestId("sign-in").click();
      await page.getByTestId("sentence").waitFor();
    } else {
      await page.getByTestId({ "/": "cars", "/compare": "restart", "/learn": "lesson" }[path] ?? "sign-in").waitFor();
    }

    expect(await accessibilityFaults(page)).toEqual([]);
    await screenshot(page, `${path.slice(1) || "map"}-${screen.name}`);

    // The same in the other colours, which the page takes up at once.
    const other = screen.colorScheme === "dark" ? "light" : "dark";
    await page.emulateMedia({ colorScheme: other });
    await expect.poll(() => page.locator("html").getAttribute("data-mantine-color-scheme")).toBe(other);
    expect(await accessibilityFaults(page)).toEqual([]);
    await screenshot(page, `${path.slice(1) || "map"}-${screen.name}-turned-${other}`);
    await page.context().close();
  });
});
