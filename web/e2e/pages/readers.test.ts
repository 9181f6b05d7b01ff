import { afterEach, expect, test } from "vitest";
import { clippedTexts, consoleErrors, smallTargets } from "../look";
import { accessibilityFaults, openBrowser, openPage, screens, screenshot, sql, url } from "../world";

const stored = async () => (await sql<{ n: number }>("SELECT count(*)::int AS n FROM history.points"))[0]?.n ?? 0;

// Whatever fails here, the tests that follow find a history that is read.
afterEach(async () => {
  await sql("UPDATE shardgroup.leases SET paused_at = NULL WHERE paused_at IS NOT NULL");
});

test("on a phone an admin pauses and resumes the history by the keyboard", async () => {
  const browser = await openBrowser();
  const page = await openPage(browser, screens[1]!);
  const errors = consoleErrors(page);
  await page.goto(`${url}/admin`);
  await page.getByTestId("sign-in").click();

  const history = page.getByTestId("reader-group-history");
  const said = page.getByTestId("readers-said");
  const act = async (name: "pause" | "resume", why: string) => {
    await history.locator(`[data-testid=${name}]:enabled`).focus();
    await page.keyboard.press("Enter");
    await page.getByTestId("act-dialog").waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await screenshot(page, `readers-${name}`);
    await page.getByTestId("act-why").fill(why);
    await page.getByTestId("act-submit").focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => said.innerText()).toContain(`✓ history, ${name}: `);
    expect(await said.evaluate((el) => el === document.activeElement)).toBe(true);
  };

  await act("pause", "a test looks at it");
  await expect.poll(() => history.innerText()).toContain("paused by a person");
  const rows = page.getByTestId("reader-shard");
  await expect.poll(() => rows.first().innerText()).toContain("Nobody reads it until it is resumed.");
  const n = await stored();
  await expect.poll(() => page.getByTestId("sentence").innerText(), { timeout: 20_000 }).toContain("history is paused by a person on");
  expect(await stored(), "nothing more is applied").toBe(n);
  expect(await clippedTexts(page)).toEqual([]);
  expect(await smallTargets(page)).toEqual([]);
  expect(await accessibilityFaults(page)).toEqual([]);
  await history.evaluate((el) => el.scrollIntoView({ block: "start" }));
  await screenshot(page, "readers-paused");

  await act("resume", "");
  await expect.poll(() => rows.count()).toBe(0);
  await expect.poll(stored, { timeout: 20_000 }).toBeGreaterThan(n);
  const acts = await sql<{ act: string; why: string; verified: boolean }>("SELECT act, why, verified FROM operations.acts WHERE place = 'reader history' ORDER BY id DESC LIMIT 2");
  expect(acts).toEqual([{ act: "resume", why: "", verified: true }, { act: "pause", why: "a test looks at it", verified: true }]);
  expect(errors).toEqual([]);
  await browser.close();
});
