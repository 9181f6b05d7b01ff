import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { visibleIn } from "../aws";
import { desktop, newProfile, openBrowser, openPage, screenshot, url } from "../world";
import { frozen } from "./processes";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const trip = { pickup: { lat: -34.9066, lon: -56.1997 }, dropoff: { lat: -34.9053, lon: -56.1917 } };

/** Books a ride as a new rider, without a page. */
async function bookAnother(): Promise<void> {
  const other = await newProfile(browser);
  const headers = { Origin: url };
  expect((await other.request.post(`${url}/session/rider`, { headers })).ok()).toBe(true);
  const answer = await other.request.post(`${url}/rider/v1/rides`, { data: trip, headers: { ...headers, "Idempotency-Key": crypto.randomUUID() } });
  expect(answer.status(), await answer.text()).toBe(201);
  await other.close();
}

test("who waits reads how many requests are before, as SQS has them", async () => {
  const page = await openPage(browser, desktop);
  await page.goto(`${url}/rider`);
  await page.getByTestId("sign-in").click();
  await page.getByTestId("short-trip").click();
  await page.getByTestId("quote").waitFor();

  // The long polls that are open when the workers freeze take the first messages; the others wait.
  await frozen("dispatch-1", () => frozen("dispatch-2", async () => {
    for (let i = 0; i < 40 && (await visibleIn("ride-requests")) < 4; i++) await bookAnother();
    const before = await visibleIn("ride-requests");
    expect(before).toBeGreaterThanOrEqual(4);

    await page.getByTestId("book").click();
    const waiting = page.getByTestId("waiting");
    await expect.poll(() => waiting.innerText(), { timeout: 15_000 }).toMatch(/^About \d+ requests before yours in the queue\./);
    const said = Number(/\d+/.exec(await waiting.innerText())?.[0]);
    const after = await visibleIn("ride-requests"); // with this one, and with those of simulated riders
    expect(said).toBeGreaterThanOrEqual(before);
    expect(said).toBeLessThanOrEqual(after - 1);
    await screenshot(page, "waiting-behind-others");
  }));

  await expect.poll(() => page.getByTestId("waiting").count().then(async (n) => (n === 0 ? "" : page.getByTestId("waiting").innerText())), { timeout: 90_000 }).not.toMatch(/before yours/);
  await page.context().close();
});
