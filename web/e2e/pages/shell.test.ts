import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clippedTexts, smallTargets } from "../look";
import { accessibilityFaults, desktop, isPhone, openBrowser, openPage, runFile, screens, screenshot, sql, url, valueOf } from "../world";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

// What the search needs of a page is there on every page: the smallest is the one of no page.
const anyPage = `${url}/no-page`;

const note = (page: Page) => page.getByTestId("search-note").innerText();
const options = (page: Page) => page.getByRole("option").allInnerTexts();

/** Types into the search, and waits until all who were asked have answered. */
async function search(page: Page, text: string): Promise<void> {
  await page.getByTestId("search-text").fill(text);
  await expect.poll(() => note(page), { timeout: 30_000 }).not.toMatch(/^(Looking|Type the name)/);
}

/** Becomes somebody, in this browser. */
async function signIn(page: Page, role: string): Promise<string> {
  return page.evaluate(async (r) => ((await (await fetch(`/session/${r}`, { method: "POST" })).json()) as { subject: string }).subject, role);
}

test("each page marks itself in the links, and the first key skips them", async () => {
  const page = await openPage(browser, desktop);
  await page.goto(`${url}/admin`);
  await page.getByTestId("sign-in").waitFor();

  expect(await page.locator('nav [aria-current="page"]:visible').allInnerTexts()).toEqual(["Console"]);
  expect(await page.locator("h1").allInnerTexts()).toEqual(["Queue and stream"]);

  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("MAIN");
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset["testid"])).toBe("sign-in");
  await page.context().close();
});

test("the colours can be switched, and stay so over a reload", async () => {
  const page = await openPage(browser, desktop);
  await page.goto(anyPage);
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await ground();

  await page.getByRole("button", { name: "Switch to dark colours" }).click();
  await expect.poll(ground).not.toBe(before);
  await page.reload();
  await page.getByRole("button", { name: "Switch to light colours" }).waitFor();
  expect(await ground()).not.toBe(before);
  await page.context().close();
});

describe.each(screens)("on $name", (screen) => {
  test("the search is opened, used and left with the keyboard alone", async () => {
    const page = await openPage(browser, screen);
    await page.goto(anyPage);
    await page.getByTestId("search").focus();

    await page.keyboard.press("Control+k");
    const field = page.getByRole("combobox");
    await field.waitFor();
    expect(await field.evaluate((el) => el === document.activeElement)).toBe(true);
    expect(await options(page)).toHaveLength(7);

    // Arrows move what Enter opens, around both ends; a reader is told which one it is.
    const active = () => page.evaluate(() => document.getElementById(document.activeElement?.getAttribute("aria-activedescendant") ?? "")?.textContent ?? "");
    const seen = [await active()];
    for (const key of ["ArrowDown", "ArrowUp", "ArrowUp"]) {
      await page.keyboard.press(key);
      seen.push(await active());
    }
    expect(seen.map((s) => s.split(" ")[0])).toEqual(["Map", "Ride", "Map", "Playback"]);
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(await clippedTexts(page)).toEqual([]);
    if (isPhone(screen)) expect(await smallTargets(page)).toEqual([]);
    await screenshot(page, `find-${screen.name}`);

    await page.keyboard.press("Escape");
    await field.waitFor({ state: "detached" });
    expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset["testid"])).toBe("search");

    // On a busy machine a press may be lost; where it is open already another changes nothing.
    await expect.poll(async () => {
      await page.keyboard.press("Meta+k");
      return field.isVisible();
    }).toBe(true);
    await page.keyboard.type("cons");
    await expect.poll(() => options(page)).toHaveLength(1);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${url}/admin`);
    await page.context().close();
  });
});

test("what is typed stays where the search's code came after the press, and the page is drawn again", async () => {
  const page = await openPage(browser, desktop);
  let come = () => {};
  const pressed = new Promise<void>((resolve) => (come = resolve));
  await page.route("**/search-dialog-*.js", async (route) => {
    await pressed;
    await route.continue();
  });

  // Nothing is heard, so that the first page is drawn again by its new width alone.
  await page.route("**/v1/summary", () => undefined);
  await page.routeWebSocket(/\/socket/, () => undefined);
  await page.goto(url);
  await page.getByTestId("search").click();
  expect(await page.getByTestId("search-text").count(), "its code is held").toBe(0);
  come();
  await page.getByTestId("search-text").waitFor({ timeout: 60_000 });
  await page.keyboard.type("drive");
  const strip = page.getByTestId("stream-strip");
  const before = await strip.getAttribute("height");
  await page.setViewportSize({ width: 600, height: 800 });
  await expect.poll(() => strip.getAttribute("height"), { timeout: 60_000 }).not.toBe(before);

  expect(await page.getByTestId("search-text").inputValue()).toBe("drive");
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page.context().close();
});

test("the search takes any text, and says what it has not found and where it has not looked", async () => {
  const page = await openPage(browser, desktop);
  await page.goto(anyPage);
  await page.getByTestId("search").click();

  const field = page.getByTestId("search-text");
  expect(Number(await field.getAttribute("maxlength"))).toBe(100);
  for (const text of ["💥💥💥💥", "<img src=x onerror=alert(1)>", "../../../etc/passwd", "مرحبا بالعالم"]) {
    await search(page, text);
    expect(await note(page)).toBe("No page has this name, and no id looks like this.");
  }

  await search(page, "01a21bf3-0000-4000-8000-000000000000");
  expect(await note(page)).toMatch(/^Nothing here has this id\. Not looked at: your rides \(sign in at Ride\); drivers, workers and shards/);
  expect(await accessibilityFaults(page)).toEqual([]);
  await page.context().close();
});

test("ids lead to the pages that can show them, as the database and the processes have them", async () => {
  const page = await openPage(browser, desktop);
  await page.goto(anyPage);
  const [rider] = [await signIn(page, "rider"), await signIn(page, "admin")];
  const ride = await page.evaluate(async () => {
    const place = (lat: number, lon: number) => ({ lat, lon });
    const answer = await fetch("/rider/v1/rides", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
      body: JSON.stringify({ pickup: place(-34.9066, -56.1997), dropoff: place(-34.9053, -56.1917) }),
    });
    return ((await answer.json()) as { id: string }).id;
  });
  const message = async () =>
    (await sql<{ id: string }>("SELECT data->>'message_id' AS id FROM ride.ride_events WHERE ride_id = $1 AND kind = 'queued' LIMIT 1", ride))[0]?.id;
  await expect.poll(message, { timeout: 30_000 }).toBeTruthy();
  const [another] = await sql<{ id: string }>("SELECT id::text FROM ride.rides WHERE rider_id <> $1 ORDER BY requested_at DESC LIMIT 1", rider);
  const [driver] = await sql<{ driver: string }>("SELECT driver FROM history.points ORDER BY at DESC LIMIT 1");
  const worker = runFile().processes.find((p) => p.name.startsWith("dispatch"));

  await page.getByTestId("search").click();
  const found: Record<string, string> = {
    [ride]: `Ride ${ride.slice(0, 8)}`,
    [`${ride.slice(0, 8)}…${ride.slice(-4)}`]: `Ride ${ride.slice(0, 8)}`,
    [(await message()) ?? ""]: "Message of ride",
    [rider]: "You, as rider",
    [driver?.driver ?? ""]: `Driver ${driver?.driver}`,
    ...(worker && worker.pid > 1 ? { [worker.pid]: worker.name } : {}), // in containers each is process 1
    "shardId-000000000000": "shardId-000000000000",
  };
  for (const [id, name] of Object.entries(found)) {
    await search(page, id);
    expect((await options(page))[0], id).toContain(name.slice(0, 20));
  }
  await screenshot(page, "find-shard");

  // Somebody else's ride is not shown by any page, and that is what it says.
  await search(page, another?.id ?? "");
  expect(await options(page)).toEqual([]);
  expect(await note(page)).toContain("only the page of its own rider shows it");

  await search(page, (await message()) ?? "");
  await page.keyboard.press("Enter");
  await page.getByTestId("ride-id").waitFor();
  expect(await valueOf(page, "ride-id")).toBe(ride);

  await page.keyboard.press("Control+k");
  await search(page, "shardId-000000000000");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/admin#shard-/);
  await expect.poll(() => page.evaluate(() => document.activeElement?.id), { timeout: 30_000 }).toBe("shard-shardId-000000000000");
  await page.context().close();
});
