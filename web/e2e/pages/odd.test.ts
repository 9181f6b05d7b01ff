import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { consoleErrors } from "../look";
import { accessibilityFaults, desktop, openBrowser, openPage, screenshot, thrown, url, valueOf } from "../world";

// Odd browsers, odd addresses and odd words: the page says what is the case and what
// can be done, and nothing on it is white or stuck.

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const day = 86_400_000; // ms

/** Makes each page of this tab believe that it is another time. */
const shiftClock = (page: Page, by: number) =>
  page.addInitScript((by) => {
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...given: [number]) {
        super(...(given.length ? given : ([Real.now() + by] as [number])));
      }
      static override now = () => Real.now() + by;
    } as DateConstructor;
  }, by);

/** Takes WebGL away, as a remote desktop or an old graphics card does. */
const withoutWebGL = (page: Page) =>
  page.addInitScript(() => {
    const real = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, kind: string, ...more: unknown[]) {
      return kind.startsWith("webgl") ? null : Reflect.apply(real, this, [kind, ...more]);
    } as typeof real;
  });

const fleet = (page: Page) => page.getByTestId("fleet");
const vehicles = async (page: Page) => Number(await fleet(page).getAttribute("data-vehicles"));

async function signIn(page: Page): Promise<void> {
  await page.getByTestId("sign-in").click();
  await page.getByTestId("sign-in").waitFor({ state: "detached" });
}

async function bookShortTrip(page: Page): Promise<void> {
  await page.getByTestId("short-trip").click();
  await page.getByTestId("book").click();
  await page.getByTestId("ride-id").waitFor();
}

test.each([-day, day])("a clock that is wrong by %i ms makes no car old and no way long", async (by) => {
  const page = await openPage(browser, desktop);
  await shiftClock(page, by);
  await page.goto(url);
  await expect.poll(() => vehicles(page)).toBeGreaterThan(0);
  await expect.poll(() => fleet(page).getAttribute("data-age")).toBe("fresh");

  // The rider is told minutes, not a day, and the console that it hears its parts.
  await page.goto(`${url}/rider`);
  await signIn(page);
  await bookShortTrip(page);
  await expect.poll(() => valueOf(page, "ride-state"), { timeout: 120_000 }).toMatch(/assigned|arrived|picked_up/);
  expect(await page.getByRole("region", { name: "Your ride" }).innerText()).not.toMatch(/\d{3,} (min|h|s)\b|NaN/);
  await page.getByTestId("cancel").click();

  await page.goto(`${url}/admin`);
  await signIn(page);
  await page.getByTestId("sentence").waitFor();
  expect(await page.getByTestId("sentence").innerText()).not.toContain("does not answer");
  await page.context().close();
});

test.each(["rider", "driver", "admin"])("a %s whose session ends on the open page is told so, and signs in again", async (role) => {
  const page = await openPage(browser, desktop);
  await page.goto(`${url}/${role}`);
  await signIn(page);
  if (role === "rider") await bookShortTrip(page);
  await page.getByTestId({ rider: "ride-id", driver: "duty", admin: "sentence" }[role] ?? "").waitFor();
  const before = (await (await page.request.get(`${url}/session/${role}`)).json()) as { subject: string };

  // Another tab signs out: the cookie of this one is worth nothing from now on.
  await page.request.delete(`${url}/session/${role}`, { headers: { Origin: url } });
  await page.getByTestId("sign-in").waitFor();
  await expect.poll(() => page.getByTestId("problem").innerText()).toContain("Your session has ended. Sign in again");
  await screenshot(page, `session-ended-${role}`);

  await signIn(page);
  const after = (await (await page.request.get(`${url}/session/${role}`)).json()) as { subject: string };
  expect(after.subject).not.toBe(before.subject);
  await expect.poll(() => page.getByTestId("problem").count()).toBe(0);
  await page.context().close();
});

test("ten tabs of one browser without WebGL all have the cars", async () => {
  const first = await openPage(browser, desktop);
  const tabs = [first, ...(await Promise.all(Array.from({ length: 9 }, () => first.context().newPage())))];
  for (const tab of tabs) {
    await withoutWebGL(tab);
    await tab.goto(url);
  }

  for (const tab of tabs) await expect.poll(() => vehicles(tab)).toBeGreaterThan(0);
  for (const tab of tabs) await expect.poll(() => fleet(tab).getAttribute("data-age")).toBe("fresh");
  await screenshot(first, "without-webgl");
  await first.context().close();
});

test("a browser whose system has no language can use the console", async () => {
  const page = await openPage(browser, desktop);
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, "language", { get: () => "en-US@posix" }));
  await page.goto(`${url}/admin`);
  await signIn(page);
  await page.getByTestId("sentence").waitFor();
  await page.context().close();
});

test("ten million letters, other scripts and pictures as words are only words", async () => {
  const page = await openPage(browser, desktop);
  const errors = consoleErrors(page);
  await page.goto(`${url}/rider`);
  await signIn(page);

  const pickup = page.getByTestId("pickup");
  for (const text of ["a".repeat(10_000_000), "شارع ثامن عشر يوليو", "🚕".repeat(40), "‮gnirts‬", "'; drop table rides; --"]) {
    await pickup.fill("");
    await pickup.focus();
    await page.keyboard.insertText(text);
    await page.getByText("No such address was found").waitFor();
    expect((await pickup.inputValue()).length).toBeLessThanOrEqual(Number(await pickup.getAttribute("maxlength")));
  }
  await screenshot(page, "odd-words");
  expect(errors).toEqual([]);
  await page.context().close();
});

test.each(["/?box=1,2", "/?box=💥", "/rider?ride=💥", "/rider?ride=01a21bf3-0000-4000-8000-000000000000", "/rider?ride=../../admin", "/admin?part=<img>#<img>"])(
  "the address %s leads to a page that can be used",
  async (path) => {
    const page = await openPage(browser, desktop);
    await page.goto(url + path);
    const main = page.getByRole("main");
    await main.waitFor();
    if (path.startsWith("/?")) await expect.poll(() => vehicles(page)).toBeGreaterThan(0);
    else await signIn(page);

    // A ride that is not there: it is said, and another can be booked.
    if (path.includes("ride=")) {
      await page.getByTestId("problem").waitFor();
      await page.getByTestId("pickup").waitFor();
    }
    await expect.poll(async () => (await main.innerText()).length).toBeGreaterThan(20);
    await page.context().close();
  },
);

test("a page whose code does not come says so, and comes when it is loaded again", async () => {
  const page = await openPage(browser, desktop);
  await page.route("**/assets/rider-page-*.js", (route) => route.abort());
  await page.goto(`${url}/rider`);
  await page.getByTestId("broken").waitFor();
  await screenshot(page, "broken");
  expect(await accessibilityFaults(page)).toEqual([]);
  expect(thrown.splice(0)).toHaveLength(1);

  await page.unroute("**/assets/rider-page-*.js");
  await page.getByRole("button", { name: "Load it again" }).click();
  await page.getByTestId("sign-in").waitFor();
  await page.context().close();
});
