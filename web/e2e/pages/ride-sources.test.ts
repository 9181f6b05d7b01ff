import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../cli";
import { desktop, openBrowser, openPage, runFile, screenshot, sql, url, valueOf } from "../world";

// What a ride's page says of its message, its points and its way, beside queue, stream and database themselves.

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const emulator = () => runFile().aws_endpoint ?? "";
const slow = { timeout: 60_000 };
const slack = 4000; // ms for a look, its answer and the drawing on a busy machine

/** The commands that a rail shows, and none of another rail's. */
async function commandsOf(page: Page, rail: "queue" | "stream"): Promise<string[]> {
  await page.getByTestId(`${rail}-cli`).click(slow);
  const commands = await page.getByTestId(`${rail}-command`).allInnerTexts();
  await screenshot(page, `ride-${rail}-cli`);
  await page.keyboard.press("Escape");
  return commands;
}

interface State {
  queues: { name: string; messages: { id: string; state: string; visible_in_ms: number; receives: number }[] }[];
}

/** What the first command prints: the ride's message, as the emulator has it. */
async function peek(id: string) {
  const { queues } = (await (await fetch(`${emulator()}/_aws/emulator/state`)).json()) as State;
  return queues.find((q) => q.name === "ride-requests")?.messages.find((m) => m.id === id);
}

test("each rail's command answers with what the rail shows", { timeout: 400_000 }, async () => {
  const page = await openPage(browser, desktop);
  await page.goto(`${url}/rider`);
  await page.getByTestId("sign-in").click(slow);
  await page.getByTestId("slow-trip").click(slow); // its driver thinks for 20 s: the message is there as long
  await page.getByTestId("book").click(slow);
  await page.getByTestId("ride-id").waitFor(slow);
  const ride = (await valueOf(page, "ride-id")) ?? "";

  // The queue: the message's deadline is the one that the rail counts down to.
  await expect.poll(async () => {
    const id = await page.getByTestId("message-id").getAttribute("data-value", slow);
    const shown = Number(await page.getByTestId("hidden-for").getAttribute("data-value", slow));
    const message = await peek(id ?? "");
    return message?.visible_in_ms ? Math.abs(Date.now() + message.visible_in_ms - shown) : NaN;
  }, slow).toBeLessThan(slack);

  // Its command is of this ride's message alone, and the one that counts is answered.
  const [inside, counts] = await commandsOf(page, "queue");
  expect(inside).toContain(`curl -s ${emulator()}/_aws/emulator/state `);
  const ids = await sql<{ id: string }>("SELECT DISTINCT data->>'message_id' AS id FROM ride.ride_events WHERE ride_id = $1 AND data->>'message_id' <> ''", ride);
  expect(ids.map((i) => i.id)).toContain(/select\(\.id == "([^"]+)"\)'$/.exec(inside ?? "")?.[1]);
  expect(counts).toContain(`aws --endpoint-url ${emulator()} --region us-east-1 sqs get-queue-attributes`);
  const { Attributes } = (await runCommand(counts ?? "")) as { Attributes: Record<string, string> };
  expect(Number(Attributes["ApproximateNumberOfMessages"]) + Number(Attributes["ApproximateNumberOfMessagesNotVisible"])).toBeGreaterThanOrEqual(0);

  // The stream: the very record that is named, and it is this ride's driver's.
  await page.getByTestId("trace-sequence").waitFor({ timeout: 120_000 });
  const [read] = await commandsOf(page, "stream");
  const sequence = /--starting-sequence-number (\d+)/.exec(read ?? "")?.[1];
  expect(read).toContain(`aws --endpoint-url ${emulator()} --region us-east-1 kinesis get-records --limit 1 `);
  const { Records } = (await runCommand(read ?? "")) as { Records: { SequenceNumber: string; Data: string }[] };
  const [own] = await sql<{ driver: string }>("SELECT driver_id AS driver FROM ride.rides WHERE id = $1", ride);
  expect(Records.map((r) => r.SequenceNumber)).toEqual([sequence]);
  expect(Buffer.from(Records[0]?.Data ?? "", "base64").toString()).toContain(own?.driver);

  await expectFilled(page, ride);
  await page.context().close();
});

interface Point {
  lat: number;
  lon: number;
}

const metres = (a: Point, b: Point) => Math.hypot((a.lat - b.lat) * 111_320, (a.lon - b.lon) * 111_320 * Math.cos((a.lat * Math.PI) / 180));

/** The part of the way to the pick-up that is filled is what history has as driven, beside what is left. */
async function expectFilled(page: Page, ride: string): Promise<void> {
  const said = () =>
    page.evaluate(() => {
      const value = (id: string) => Number(document.querySelector<HTMLElement>(`[data-testid="${id}"]`)?.dataset["value"] ?? NaN);
      return { state: document.querySelector<HTMLElement>("[data-testid=ride-state]")?.dataset["value"], part: value("phase-coming"), left: value("remaining") };
    });
  const off = async () => {
    const { state, part, left } = await said();
    if (state !== "assigned") return "there"; // a car that was near
    const points = await sql<Point>(
      `SELECT p.lat, p.lon FROM history.points p JOIN ride.rides r ON r.driver_id = p.driver
       WHERE r.id = $1 AND p.seq >= floor(extract(epoch FROM r.assigned_at) * 1000) ORDER BY p.seq`, ride);
    const driven = points.reduce((sum, p, i) => sum + (i === 0 ? 0 : metres(points[i - 1]!, p)), 0);
    return Math.abs(part - driven / (driven + left)) < 0.1 && part > 0 ? "as driven" : `${part} of ${driven} m, ${left} m left`;
  };

  await expect.poll(off, slow).toMatch(/^(as driven|there)$/);
}
