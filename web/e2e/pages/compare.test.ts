import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { bodiesIn, duplicatesOf, endpoint, inQueue, newestSession, subscribers } from "../aws";
import { clippedTexts, consoleErrors, smallTargets } from "../look";
import { expectSent, expectWhole, have, openOwnSession, said, sent, sum, verdict } from "../six-maps";
import { accessibilityFaults, desktop, isPhone, openBrowser, openPage, screens, screenshot, url, type Screen } from "../world";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
afterEach(() => Promise.all(browser.contexts().map((c) => c.close())));

/** Opens the page with a session of its own, and waits until points are counted. */
async function open(screen: Screen, atLeast = 150): Promise<Page> {
  const page = await openPage(browser, screen);
  await openOwnSession(page);
  await expect.poll(() => sent(page), { timeout: 60_000 }).toBeGreaterThan(atLeast);
  return page;
}

test("the six maps and each step, against queue, stream and topic themselves", async () => {
  const errors: string[] = [];
  const duplicates = await duplicatesOf("compare-points");
  const page = await open({ ...desktop, name: "compare-dark", colorScheme: "dark" });
  errors.push(...consoleErrors(page));
  const dead = await inQueue("compare-jobs-dlq");

  await expectSent(page);
  await expectWhole(page, 3, duplicates);
  const first = await said(page);
  expect(Math.min(...first.queue), "each team of the left gets some").toBeGreaterThan(0);
  expect(first.missed[0], "cars that the left's map has missed").toBeGreaterThan(10);
  expect(first.missed[1], "and the right's none").toBeNaN();
  await expect.poll(() => inQueue("compare-points"), { timeout: 10_000 }).toBeLessThan(60);

  // The commands are of those calls, at the same endpoint.
  for (const [side, call] of [["queue", "sqs get-queue-attributes"], ["stream", "kinesis get-records"]] as const) {
    await page.getByTestId(`${side}-cli`).click();
    const command = await page.getByTestId(`${side}-command`).first().innerText();
    expect(command).toContain(`aws --endpoint-url ${endpoint()} --region us-east-1 ${call}`);
    expect(command).toMatch(side === "queue" ? /--queue-name compare-points / : /--stream-name compare-points /);
    await page.keyboard.press("Escape");
  }
  await screenshot(page, "compare-0");

  // 1: a team that joins late.
  await page.getByTestId("guess-queue").click();
  const before = await sent(page);
  await page.getByTestId("step-1").click();
  await page.getByTestId("queue-3-have").waitFor();
  await expect.poll(() => verdict(page, "stream"), { timeout: 60_000 }).toMatch(/yes, within \d+ s/);
  expect(await page.getByTestId("guessed").innerText()).toBe("You said Queue. It is Stream.");
  expect(new URL(page.url()).search).toBe("?step=1");
  await expect.poll(() => have(page, "queue", 3), { timeout: 30_000 }).toBeGreaterThan(20);
  await expectWhole(page, 4, duplicates);
  const late = await said(page);
  expect(late.queue[3], "nothing of the past").toBeLessThanOrEqual(late.n - before);
  expect(await verdict(page, "queue")).toContain("no, the past was gone");
  await screenshot(page, "compare-1");

  // 2: a table that is lost.
  await page.getByTestId("step-2").click();
  await expect.poll(() => verdict(page, "stream"), { timeout: 30_000 }).toContain("the same bytes");
  const [, one, two] = /before (\w+), after (\w+): the same bytes/.exec(await verdict(page, "stream")) ?? [];
  expect(one).toMatch(/^[0-9a-f]{8}$/);
  expect(two).toBe(one);
  expect(await verdict(page, "queue")).toMatch(/\d+ messages are in the queue now/);
  await expect.poll(async () => {
    const s = await said(page);
    return s.stream.map((h) => h - s.n);
  }, { timeout: 30_000 }).toEqual([0, 0, 0, 0]);
  const lost = await said(page);
  expect(sum(lost.queue), "what was in the left's table is gone").toBeLessThan(lost.n);
  await screenshot(page, "compare-2");

  // 3: jobs, one of which cannot be done.
  await page.getByTestId("step-3").click();
  await expect.poll(() => verdict(page, "queue"), { timeout: 60_000 }).toContain("wins");
  await expect.poll(() => verdict(page, "stream"), { timeout: 60_000 }).toContain("so it stopped");
  const inOrder = Array.from({ length: 40 }, (_, i) => i + 1);
  await expect.poll(async () => (await newestSession("compare-jobs")).map((j) => j.tile), { timeout: 60_000 }).toEqual(inOrder);
  const poison = (await newestSession("compare-jobs")).find((j) => j.tile === 17);
  expect(await inQueue("compare-jobs")).toBe(0);
  expect(await inQueue("compare-jobs-dlq")).toBe(dead + 1);
  expect((await bodiesIn("compare-jobs-dlq")).filter((b) => b.session === poison?.session).map((b) => b.tile)).toEqual([17]);
  expect(await page.getByTestId("queue-jobs").getAttribute("data-done")).toBe("39");
  expect(await page.getByTestId("stream-jobs").getAttribute("data-done")).toBe("16");

  const age = await page.evaluate(() => [Number(document.querySelector<HTMLElement>("[data-testid=iterator-age]")?.dataset["value"]), Date.now()]);
  expect(Math.abs((age[0] ?? NaN) - ((age[1] ?? NaN) - (poison?.arrived ?? NaN))), "the iterator age, as of the last look").toBeLessThan(5000);
  await screenshot(page, "compare-3");
  expect(await accessibilityFaults(page)).toEqual([]);
  await page.getByTestId("stream-list").click();
  await expect.poll(() => page.getByRole("row").count()).toBe(41);
  await page.keyboard.press("Escape");

  await page.getByTestId("skip").click();
  await expect.poll(() => page.getByTestId("stream-jobs").getAttribute("data-done"), { timeout: 60_000 }).toBe("39");
  await screenshot(page, "compare-3-skipped");

  // 4: a topic, and a team that subscribes late.
  expect(await subscribers("compare-points")).not.toContain("compare-newcomer");
  await page.getByTestId("step-4").click();
  await expect.poll(() => verdict(page, "queue"), { timeout: 30_000 }).toMatch(/every team is whole now\.[^]*all [\d,]+ points/);
  expect(await subscribers("compare-points")).toEqual(["compare-heatmap", "compare-history", "compare-map"]);
  await page.getByTestId("sns_late").click();
  await expect.poll(() => verdict(page, "queue"), { timeout: 30_000 }).toContain("whole, but no past");
  expect(await subscribers("compare-points")).toContain("compare-newcomer");
  await expect.poll(() => have(page, "queue", 3), { timeout: 30_000 }).toBeGreaterThan(20);
  await expect.poll(async () => {
    const s = await said(page);
    const [first = NaN, ...others] = s.queue;
    return { left: others.slice(0, 2).map((h) => h - first), lateHasLess: (others[2] ?? NaN) < first, right: s.stream.map((h) => h - s.n) };
  }, { timeout: 60_000 }).toEqual({ left: [0, 0], lateHasLess: true, right: [0, 0, 0, 0] });
  await screenshot(page, "compare-4");
  expect(errors).toEqual([]);
});

test("a link to a step, one who watches, and whose the buttons are", async () => {
  const page = await open(desktop, 20);

  const other = await openPage(browser, desktop);
  await other.goto(`${url}/compare?step=2`);
  await other.getByTestId("whose").waitFor();
  const colour = (step: number) => other.getByTestId(`step-${step}`).evaluate((b) => getComputedStyle(b).backgroundColor);
  await expect.poll(async () => [await colour(1), await colour(2)], { message: "the second is the primary one", timeout: 30_000 }).toEqual(["rgba(0, 0, 0, 0)", "rgb(13, 16, 20)"]);
  await other.getByTestId("step-1").click(); // chosen
  expect(new URL(other.url()).search).toBe("?step=1");
  await other.getByTestId("step-1").click();
  await expect.poll(() => other.getByTestId("problem").innerText(), { timeout: 30_000 }).toContain("They are yours once that page is closed");
  await screenshot(other, "compare-watching");

  // Both see the same, and the buttons go to who presses once the first has left.
  await expect.poll(async () => Math.abs((await sent(page)) - (await sent(other))), { timeout: 30_000 }).toBeLessThan(200);
  await page.context().close();
  await expect.poll(async () => {
    await other.getByTestId("step-1").click();
    return other.getByTestId("queue-3-have").count();
  }, { timeout: 30_000, interval: 1500 }).toBe(1);
});

test("what is not of now says so within three seconds, and recovers without a reload", async () => {
  const page = await open(desktop, 50);
  await page.evaluate(() => {
    new MutationObserver(() => {
      if (!document.querySelector("[data-testid=trouble]")?.textContent?.startsWith("No answer")) return;
      document.body.dataset["told"] ??= String(Date.now());
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  });

  await page.route("**/v1/compare?*", (route) => route.abort());
  const since = Date.now();
  await expect.poll(() => page.evaluate(() => Number(document.body.dataset["told"] ?? NaN)), { timeout: 20_000 }).toBeGreaterThan(0);
  expect((await page.evaluate(() => Number(document.body.dataset["told"]))) - since).toBeLessThan(3000 + 1000);
  const picture = () => page.getByTestId("stream-canvas").evaluate((c: HTMLCanvasElement) => c.toDataURL());
  const still = await picture();
  await page.waitForTimeout(1500);
  expect(await picture(), "nothing moves on").toBe(still);
  expect(await accessibilityFaults(page)).toEqual([]);
  await screenshot(page, "compare-stale");

  await page.unroute("**/v1/compare?*");
  await page.getByTestId("trouble").waitFor({ state: "detached", timeout: 20_000 });
  expect(await picture()).not.toBe(still);
});

test("without the service behind it the page says so, and begins by itself once there is one", async () => {
  const page = await openPage(browser, desktop);
  const away = { status: 503, contentType: "application/problem+json", body: JSON.stringify({ status: 503, detail: "compare does not answer." }) };
  await page.route("**/v1/compare?*", (route) => route.fulfill(away));
  await page.goto(`${url}/compare`);
  await expect.poll(() => page.getByTestId("problem").innerText(), { timeout: 30_000 }).toContain("compare does not answer. The page tries again by itself.");
  expect(await page.getByTestId("sent").innerText(), "unknown is not zero").toContain("?");
  expect(await accessibilityFaults(page)).toEqual([]);
  await screenshot(page, "compare-away");

  await page.unroute("**/v1/compare?*");
  await page.getByTestId("problem").waitFor({ state: "detached", timeout: 30_000 });

  // What keeps the tee from sending is said in its words.
  await page.route("**/v1/compare?*", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), error: "SQS does not answer." } });
  });
  await expect.poll(() => page.getByTestId("trouble").innerText(), { timeout: 30_000 }).toBe("SQS does not answer. What was sent stays as it is.");
  await screenshot(page, "compare-behind");
});

test("a hidden tab asks nothing", async () => {
  const page = await open(desktop, 20);
  let asked = 0;
  page.on("request", (r) => r.url().includes("/v1/compare") && asked++);
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.waitForTimeout(1500); // the look that was under way
  asked = 0;
  await page.waitForTimeout(4000);
  expect(asked).toBe(0);

  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: false, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await expect.poll(() => asked, { timeout: 30_000 }).toBeGreaterThan(1);
});

/** The headline is one line on a desktop; on a phone of usual height both maps of a team are seen at once. */
async function expectInOneLook(page: Page, screen: Screen): Promise<void> {
  if (screen === desktop) {
    const top = await page.getByRole("heading", { level: 1 }).locator("..").boundingBox();
    expect(top?.height).toBeLessThan(64);
  }
  if (screen.viewport.height !== 844) return;

  await page.evaluate(() => scrollTo(0, 0));
  const foot = await page.getByRole("region", { name: "The next step" }).boundingBox();
  for (const map of await page.locator("[data-map]").filter({ visible: true }).all()) {
    const box = await map.boundingBox();
    expect(box!.y).toBeGreaterThan(0);
    expect(box!.y + box!.height).toBeLessThanOrEqual(foot!.y);
  }
}

describe.each(screens)("on $name", (screen) => {
  test("nothing is cut off, axe finds nothing, and the next step can be taken", async () => {
    const page = await open(screen, 100);
    const good = async () => {
      expect(await clippedTexts(page)).toEqual([]);
      expect(await accessibilityFaults(page)).toEqual([]);
      if (isPhone(screen)) expect(await smallTargets(page)).toEqual([]);
    };
    await good();
    await expectInOneLook(page, screen);
    await screenshot(page, `compare-${screen.name}`);

    await page.getByTestId(isPhone(screen) ? "take" : "step-1").click();
    await page.getByTestId("verdicts").waitFor();
    if (isPhone(screen)) await expect.poll(() => page.getByTestId("queue-3").isVisible(), { message: "the team that has joined" }).toBe(true);
    await good();
    await expectInOneLook(page, screen);

    // The first press chooses a step that is not next, the second takes it.
    await page.getByTestId("step-3").click();
    await page.getByTestId(isPhone(screen) ? "take" : "step-3").click();
    await expect.poll(() => verdict(page, "stream"), { timeout: 60_000 }).toContain("so it stopped");
    await good();
    await screenshot(page, `compare-jobs-${screen.name}`);

    await page.getByTestId("queue-list").click();
    await good();
    await page.keyboard.press("Escape");
    await page.getByTestId("queue-cli").click();
    await good();
    await page.emulateMedia({ colorScheme: screen.colorScheme === "dark" ? "light" : "dark" });
    await good();
  });
});
