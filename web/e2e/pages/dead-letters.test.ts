import { expect, test } from "vitest";
import { inQueue } from "../aws";
import { clippedTexts, consoleErrors, smallTargets } from "../look";
import { accessibilityFaults, aws, openBrowser, openPage, screens, screenshot, sql, url } from "../world";

const dlq = "ride-requests-dlq";

test("on the smallest phone an admin redrives and discards dead letters by the keyboard, and both are written down", async () => {
  const { QueueUrl } = (await aws<{ QueueUrl: string }>("AmazonSQS.GetQueueUrl", { QueueName: "ride-requests" })) ?? { QueueUrl: "" };
  for (const MessageBody of ["noise one", "noise two"]) await aws("AmazonSQS.SendMessage", { QueueUrl, MessageBody });
  await expect.poll(() => inQueue(dlq)).toBe(2);

  const browser = await openBrowser();
  const page = await openPage(browser, screens[2]!);
  const errors = consoleErrors(page);
  await page.goto(`${url}/admin`);
  await page.getByTestId("sign-in").click();
  const rows = page.getByTestId("dead-letter");
  await expect.poll(() => rows.count()).toBe(2);
  expect(await rows.first().innerText()).toContain("invalid character");
  expect(await clippedTexts(page)).toEqual([]);
  expect(await smallTargets(page)).toEqual([]);
  expect(await accessibilityFaults(page)).toEqual([]);
  await rows.first().scrollIntoViewIfNeeded();
  await screenshot(page, "dead-letters");

  // All there is of one, by the keyboard: it is read to whoever hears the page, and the focus returns.
  const show = rows.first().getByTestId("show");
  await show.focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => page.getByTestId("letter-body").innerText()).toMatch(/^noise (one|two)$/);
  expect(await page.getByRole("dialog", { name: `A dead letter of ${dlq}` }).innerText()).toContain((await rows.first().getAttribute("data-value")) ?? "?");
  expect(await clippedTexts(page)).toEqual([]);
  expect(await smallTargets(page)).toEqual([]);
  expect(await accessibilityFaults(page)).toEqual([]);
  await screenshot(page, "dead-letter");
  await page.keyboard.press("Escape");
  await expect.poll(() => page.getByTestId("letter-dialog").count()).toBe(0);
  expect(await show.evaluate((el) => el === document.activeElement)).toBe(true);

  // No worker can read it this time either: it comes back, as another message.
  const redriven = (await rows.first().getAttribute("data-value")) ?? "";
  await rows.first().getByTestId("redrive").focus();
  await page.keyboard.press("Enter");
  const said = page.getByTestId("dead-said");
  await expect.poll(() => said.innerText()).toContain("✓ redrive: sent to ride-requests as ");
  expect(await said.evaluate((el) => el === document.activeElement)).toBe(true);
  await expect.poll(async () => (await rows.count()) === 2 && !(await rows.evaluateAll((all) => all.map((r) => r.getAttribute("data-value")))).includes(redriven)).toBe(true);

  for (let left = 1; left >= 0; left--) {
    const discarded = (await rows.first().getAttribute("data-value")) ?? "";
    await rows.first().locator("[data-testid=discard]:enabled").focus();
    await page.keyboard.press("Enter");
    const submit = page.getByTestId("act-submit");
    await page.getByTestId("act-why").fill("no");
    expect(await submit.isDisabled(), "two letters are no reason").toBe(true);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByTestId("act-why").fill("noise of a test");
    await submit.focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => said.innerText()).toContain("✓ discard: deleted");
    await expect.poll(() => rows.count()).toBe(left);

    const [act] = await sql<{ why: string; verified: boolean; outcome: string }>("SELECT why, verified, outcome FROM operations.acts WHERE message_id = $1", discarded);
    expect(act).toEqual({ why: "noise of a test", verified: true, outcome: "done" });
    expect(await page.getByTestId("act").first().getAttribute("data-value")).toBe(discarded);
  }
  await page.getByTestId("dead-none").waitFor();
  expect(await inQueue(dlq)).toBe(0);
  expect(errors).toEqual([]);
  await browser.close();
});
