import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fixesOf, metres, placesAt } from "../fixes";
import { clippedTexts, consoleErrors, smallTargets } from "../look";
import { accessibilityFaults, desktop, isPhone, openBrowser, openPage, screens, screenshot, url, valueOf } from "../world";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const clock = async (page: Page) => Number(await valueOf(page, "clock"));
const cars = async (page: Page) => Number(await valueOf(page, "cars"));

/** Where the cars are that the list beside the map has. */
const listed = (page: Page) =>
  page.getByTestId("car-row").evaluateAll((rows) => rows.map(({ dataset }) => ({ lat: Number(dataset["lat"]), lon: Number(dataset["lon"]) })));

describe.each([desktop, screens[2]!])("on $name", (screen) => {
  test("an admin plays back what all drivers did, and the cars are where the database has them", async () => {
    const page = await openPage(browser, screen);
    const errors = consoleErrors(page);
    await page.goto(`${url}/admin`);
    await page.getByTestId("sign-in").click();
    await page.getByTestId("play-back").click();
    await page.waitForURL(`${url}/admin/playback`);
    await page.reload();
    await expect.poll(() => clock(page)).toBeGreaterThan(0);

    // A demo that has just begun has no five minutes yet: from its last seconds.
    await page.getByRole("button", { name: "5×", exact: true }).click();
    const slider = page.getByTestId("slider");
    await slider.focus();
    await page.keyboard.press("End");
    await expect.poll(() => page.getByTestId("said").innerText()).toBe("The end of the span");
    const end = await clock(page);
    expect(await slider.getAttribute("aria-valuetext")).toBe(await page.getByTestId("clock").innerText());
    for (let i = 0; i < 15; i++) await page.keyboard.press("ArrowLeft");
    await expect.poll(() => clock(page)).toBe(end - 15_000);
    await expect.poll(() => cars(page)).toBeGreaterThan(5);

    const play = page.getByTestId("play");
    await page.getByTestId("cars-list").click();
    await expect.poll(async () => (await listed(page)).length).toBeGreaterThan(5);
    const before = await listed(page);
    await page.keyboard.press("Escape");
    await play.click();
    await expect.poll(() => clock(page)).toBeGreaterThan(end - 12_000);
    await play.click();
    await screenshot(page, `playback-${screen.name}`);

    const at = await clock(page);
    await page.getByTestId("cars-list").click();
    await expect.poll(async () => (await listed(page)).length).toBeGreaterThan(5);
    const after = await listed(page);
    expect(await clock(page)).toBe(at);
    await page.keyboard.press("Escape");
    const moved = after.filter((car) => before.every((b) => metres(b, car) > 5));
    expect(moved.length, "cars that have moved").toBeGreaterThan(after.length / 3);
    const places = placesAt(await fixesOf(at - 5000, at + 10_000), at);
    const right = after.filter((car) => places.some((p) => metres(p, car) < 30));
    expect(right.length / after.length, "cars that are where the database has one").toBeGreaterThan(0.9);

    // By a finger or a pointer, and fast to the end.
    const box = await slider.boundingBox();
    if (!box) throw new Error("the slider has no size");
    await page.mouse.move(box.x + box.width * 0.9, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2, { steps: 3 });
    await page.mouse.up();
    await expect.poll(() => clock(page)).toSatisfy((at: number) => Math.abs(end - at - 60_000) < 5000);
    await page.getByRole("button", { name: "60×" }).click();
    await play.click();
    await expect.poll(() => clock(page)).toBe(end);

    expect(await clippedTexts(page)).toEqual([]);
    if (isPhone(screen)) expect(await smallTargets(page)).toEqual([]);
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(errors).toEqual([]);

    await page.route("**/v1/playback?*", (route) => route.fulfill({ status: 410, json: { detail: "Not all points of this span are kept any more." } }));
    await page.getByRole("button", { name: "60 min" }).click();
    await expect.poll(() => page.getByTestId("problem").innerText()).toContain("Not all points of this span are kept any more. Choose a shorter span.");
    expect(await accessibilityFaults(page)).toEqual([]);
    await screenshot(page, `playback-gone-${screen.name}`);
    await page.context().close();
  });
});
