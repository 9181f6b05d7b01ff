import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clippedTexts, consoleErrors, smallTargets } from "../look";
import { accessibilityFaults, desktop, isPhone, openBrowser, openPage, screens, screenshot, url, valueOf, type Screen } from "../world";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const titles: Record<string, string> = {
  "/": "Tandem: every car is a stream, every ride is a queue",
  "/rider": "Book a ride · Tandem",
  "/driver": "Drive · Tandem",
  "/compare": "Six maps: a queue beside a stream · Tandem",
  "/learn": "The tutorial: queue or stream? · Tandem",
  "/admin": "Queue and stream · Tandem",
  "/admin/playback": "Playback · Tandem",
};
const paths = Object.keys(titles);
const linked = paths.filter((path) => path !== "/admin/playback"); // the console leads there

/** What holds for each page, whatever it shows. */
async function expectGoodLayout(page: Page, screen: Screen): Promise<void> {
  expect(await clippedTexts(page)).toEqual([]);
  if (isPhone(screen)) expect(await smallTargets(page)).toEqual([]);
}

/** Axe finds nothing, and nothing in the other colours, which the page takes up at once. */
async function expectNoFaultInBothColours(page: Page, screen: Screen): Promise<void> {
  expect(await accessibilityFaults(page)).toEqual([]);

  const other = screen.colorScheme === "dark" ? "light" : "dark";
  await page.emulateMedia({ colorScheme: other });
  await expect.poll(() => page.locator("html").getAttribute("data-mantine-color-scheme")).toBe(other);
  expect(await accessibilityFaults(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: screen.colorScheme });
}

/** The paths that the page has visible links to, on a phone once its menu is open. */
async function linksOf(page: Page): Promise<string[]> {
  const menu = page.getByTestId("menu");
  if (await menu.isVisible()) await menu.click();

  const all = await page.locator('a[href^="/"]:visible').evaluateAll((as) => as.map((a) => a.getAttribute("href") ?? ""));
  return [...new Set(all)];
}

const focused = (page: Page) => page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.textContent}`);

describe.each(screens)("on $name", (screen) => {
  test.each(paths)("%s has its title, links to the others, nothing that axe finds, and a clean console at the first visit", async (path) => {
    const page = await openPage(browser, screen);
    const errors = consoleErrors(page);
    const answer = await page.goto(url + path);
    expect(answer?.status()).toBe(200);

    await page.getByTestId({ "/": "cars", "/compare": "restart", "/learn": "lesson" }[path] ?? "sign-in").waitFor();
    expect(await page.title()).toBe(titles[path]);
    await expectGoodLayout(page, screen);
    await screenshot(page, `first-${path.slice(1).replace("/", "-") || "map"}-${screen.name}`);
    await expectNoFaultInBothColours(page, screen);

    const links = await linksOf(page);
    for (const other of linked) if (other !== path) expect(links).toContain(other);
    await expectGoodLayout(page, screen);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test("the console has no fault that axe knows once an admin has signed in", async () => {
    const page = await openPage(browser, screen);
    await page.goto(`${url}/admin`);
    await page.getByTestId("sign-in").click();
    await page.getByTestId("sentence").waitFor();
    await expectNoFaultInBothColours(page, screen);
    await screenshot(page, `admin-${screen.name}`);
    await page.context().close();
  });

  test("a map that is not connected says so, and all of it can be read", async () => {
    const page = await openPage(browser, screen);
    await page.route("**/socket-ticket", (route) => route.abort());
    await page.goto(url);

    await page.getByTestId("connection-lost").waitFor();
    await expectGoodLayout(page, screen);
    await screenshot(page, `not-connected-${screen.name}`);
    await page.context().close();
  });

  test("a path without a page is answered 404, and the page says what to do", async () => {
    const page = await openPage(browser, screen);
    const answer = await page.goto(`${url}/rider/no-such-page-has-a-name-that-is-as-long-as-this`);
    expect(answer?.status()).toBe(404);

    await page.getByRole("heading", { name: "There is no page here" }).waitFor();
    expect(await page.title()).toBe("No such page · Tandem");
    expect(await page.getByRole("main").getByRole("link").allInnerTexts()).toEqual(["Map", "Ride", "Drive", "Compare", "Learn", "Console"]);
    await expectGoodLayout(page, screen);
    expect(await accessibilityFaults(page)).toEqual([]);
    await screenshot(page, `404-${screen.name}`);
    await page.context().close();
  });

  test("a rider finds a house, books, keeps the ride over a reload, and signs out", async () => {
    const page = await openPage(browser, screen);
    await page.goto(`${url}/rider`);
    await page.getByTestId("sign-in").and(page.locator(":enabled")).focus();
    await page.keyboard.press("Enter");
    await page.getByTestId("pickup").waitFor();
    await expect.poll(() => focused(page)).toBe("H2 Where to?");
    await expectGoodLayout(page, screen);

    // No street has a house at each number: the nearest one is found.
    const pickup = page.getByTestId("pickup");
    expect(Number(await pickup.getAttribute("maxlength"))).toBeGreaterThan(0);
    await pickup.fill("18 de julio 1200");
    const found = page.getByRole("option", { name: "Avenida 18 de Julio 1205" });
    await found.waitFor();
    await expectGoodLayout(page, screen);
    await screenshot(page, `search-${screen.name}`);
    await found.click();
    await page.getByTestId("dropoff").fill("plaza independencia");
    await page.getByRole("option").first().click();

    await page.getByTestId("book").click();
    await page.getByTestId("ride-id").waitFor();
    await expect.poll(() => focused(page)).toMatch(/^H2 /);
    await expectGoodLayout(page, screen);
    await screenshot(page, `booked-${screen.name}`);

    // Cancelled, it has ended: no page would show it again if its address did not name it.
    await cancelRide(page);
    const id = await valueOf(page, "ride-id");
    await expect.poll(() => focused(page)).toMatch(/^H2 Cancelled/);
    await page.reload();
    await page.getByTestId("ride-id").waitFor();
    expect(await valueOf(page, "ride-id")).toBe(id);
    expect(await valueOf(page, "ride-state")).toBe("cancelled");

    // The list has it too, also after a reload, and leads back to it.
    await page.getByTestId("another").click();
    await expect.poll(() => focused(page)).toBe("H2 Where to?");
    await page.reload();
    const newest = page.getByTestId("ride-link").first(); // a ride that could not be cancelled in time stands below
    await newest.waitFor();
    expect(await newest.getAttribute("data-value")).toBe(id);
    await expectGoodLayout(page, screen);
    await screenshot(page, `rides-${screen.name}`);
    await newest.click();
    await page.getByTestId("ride-id").waitFor();
    await page.goBack();
    await page.getByTestId("pickup").waitFor();

    await signOut(page);
    await page.waitForURL(`${url}/`);
    await page.goto(`${url}/rider`);
    await page.getByTestId("sign-in").waitFor();
    await page.context().close();
  });
});

/** Cancels the ride of the page. One that a fast driver has picked up meanwhile is driven, and another is booked. */
async function cancelRide(page: Page): Promise<void> {
  const state = () => valueOf(page, "ride-state");
  const cancel = page.getByTestId("cancel");

  for (;;) {
    const another = page.getByTestId("another");
    await cancel.or(another).first().waitFor({ timeout: 180_000 });
    await cancel.click({ timeout: 5000 }).catch(() => undefined); // it may have gone

    await another.waitFor({ timeout: 180_000 });
    if ((await state()) === "cancelled") return;

    await another.click();
    await page.getByTestId("short-trip").click();
    await page.getByTestId("book").click();
    await page.getByTestId("ride-id").waitFor();
  }
}

async function signOut(page: Page): Promise<void> {
  const menu = page.getByTestId("menu");
  if (!(await menu.isVisible())) return page.getByTestId("sign-out").click();

  await menu.click();
  await page.getByTestId("sign-out-menu").click();
}

test.each(["/driver", "/admin"])("%s keeps the focus after signing in, and signs out", async (path) => {
  const page = await openPage(browser, desktop);
  await page.goto(url + path);
  await page.getByTestId("sign-in").and(page.locator(":enabled")).focus();
  await page.keyboard.press("Enter");
  await page.getByTestId(path === "/driver" ? "duty" : "sentence").waitFor();
  await expect.poll(() => focused(page)).toMatch(/^H2 /);

  await signOut(page);
  await page.waitForURL(`${url}/`);
  expect((await page.request.get(`${url}/session${path}`)).status()).toBe(204);
  await page.context().close();
});
