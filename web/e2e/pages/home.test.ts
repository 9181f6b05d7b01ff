import { existsSync } from "node:fs";
import type { Browser, Page, Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Summary } from "../../src/api/types";
import { runCommand } from "../cli";
import { clippedTexts, consoleErrors, mapLibreShown, smallTargets } from "../look";
import { accessibilityFaults, aws, desktop, isPhone, openBrowser, openPage, runFile, screens, screenshot, sql, url } from "../world";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const slow = { timeout: 60_000 };
const smallest = screens.reduce((a, b) => (a.viewport.width < b.viewport.width ? a : b));

/** Opens the first page, and waits until both strips are of now. */
async function open(screen = desktop): Promise<Page> {
  const page = await openPage(browser, screen);
  await page.goto(url);
  await page.getByTestId("kept-for").waitFor();
  await expect.poll(() => agesOf(page), slow).toEqual(["fresh", "fresh"]);
  return page;
}

const agesOf = (page: Page) => Promise.all(["queue", "stream"].map((side) => page.getByTestId(side).getAttribute("data-age")));
const number = async (page: Page, testid: string) => Number((await page.getByTestId(testid).innerText()).replace(/,/g, ""));
const lanes = (page: Page) => page.getByTestId("stream-strip").locator("[data-through]");

test("the queue's numbers are those of SQS, of the database and of the processes", async () => {
  const page = await open();

  // What is in flight changes all the time: at some moment both say the same.
  const queue = await aws<{ QueueUrl: string }>("AmazonSQS.GetQueueUrl", { QueueName: "ride-requests" });
  if (!queue) console.warn("!!! NOT TESTED: what SQS itself says, as it cannot be reached from here");
  else {
    const inFlight = async () => {
      const answer = await aws<{ Attributes: Record<string, string> }>("AmazonSQS.GetQueueAttributes", { QueueUrl: queue.QueueUrl, AttributeNames: ["ApproximateNumberOfMessagesNotVisible"] });
      return Number(answer?.Attributes["ApproximateNumberOfMessagesNotVisible"]);
    };
    await expect.poll(async () => (await number(page, "in-flight")) - (await inFlight()), slow).toBe(0);
  }

  // Both count a minute that moves on while they are asked: within 3.
  const booked = async () => (await sql<{ n: number }>("SELECT count(*)::int AS n FROM ride.ride_events WHERE kind = 'requested' AND at > now() - interval '1 minute'"))[0]?.n ?? NaN;
  await expect.poll(async () => Math.abs((await number(page, "per-minute")) - (await booked())), slow).toBeLessThanOrEqual(3);

  // A worker writes the delete into the ride's history just after it: within a tenth, or 3.
  const deleted = async () => (await sql<{ n: number }>("SELECT count(*)::int AS n FROM ride.ride_events WHERE kind = 'deleted' AND at > now() - interval '30 seconds'"))[0]?.n ?? NaN;
  const off = async () => {
    const [shown, stored] = [Number(await page.getByTestId("deleted").getAttribute("data-count")), await deleted()];
    return Math.abs(shown - stored) <= Math.max(3, stored / 10);
  };
  await expect.poll(off, slow).toBe(true);

  for (const { name, pid } of runFile().processes.filter((p) => p.name.startsWith("dispatch"))) {
    const box = page.getByTestId(`box-${name}`);
    expect(await box.textContent()).toContain(`worker ${name}, pid ${pid}`);
    if (pid > 1) expect(existsSync(`/proc/${pid}`)).toBe(true); // a container's process has another number here
  }
  await page.context().close();
});

test("the stream's numbers are those of Kinesis and of what history has stored", async () => {
  const page = await open();

  const description = await aws<{ StreamDescriptionSummary: { RetentionPeriodHours: number } }>("Kinesis_20131202.DescribeStreamSummary", { StreamName: "driver-locations" });
  if (description) await expect.poll(() => page.getByTestId("kept-for").innerText()).toBe(description.StreamDescriptionSummary.RetentionPeriodHours === 24 ? "a day" : `${description.StreamDescriptionSummary.RetentionPeriodHours} hours`);
  const shards = await aws<{ Shards: { ShardId: string; SequenceNumberRange: { EndingSequenceNumber?: string } }[] }>("Kinesis_20131202.ListShards", { StreamName: "driver-locations" });
  if (shards) {
    const open = shards.Shards.filter((s) => !s.SequenceNumberRange.EndingSequenceNumber).map((s) => `lane-${s.ShardId}`);
    expect(await lanes(page).evaluateAll((all) => all.map((e) => (e as SVGElement).dataset["testid"]))).toEqual(open.sort());
  }

  // History is half a second behind, and drivers come and go: within a fifth.
  const stored = async () => (await sql<{ n: number }>(
    "SELECT count(*)::int AS n FROM history.points WHERE arrived_at > now() - interval '12 seconds' AND arrived_at <= now() - interval '2 seconds'"))[0]?.n ?? NaN;
  await expect.poll(async () => Math.abs((await number(page, "points-per-second")) / ((await stored()) / 10) - 1), slow).toBeLessThan(0.2);

  // Those who sent the points of the last 6 s: within a twentieth, or 2.
  const senders = async () => (await sql<{ n: number }>(
    "SELECT count(DISTINCT driver)::int AS n FROM history.points WHERE arrived_at > now() - interval '8 seconds' AND arrived_at <= now() - interval '2 seconds'"))[0]?.n ?? NaN;
  const missed = async () => {
    const [shown, stored] = [await number(page, "cars-sending"), await senders()];
    return Math.max(0, Math.abs(shown - stored) - Math.max(2, stored / 20));
  };
  await expect.poll(missed, slow).toBe(0);

  // Each reader that the console asks has its name, for who cannot see the picture too.
  for (const name of ["mapfeed", "nearby", "history", "heatmap"]) expect(await page.getByTestId("stream-strip").getAttribute("aria-label")).toContain(name);
  await page.context().close();
});

test("the commands of AWS's own tool answer what the pictures show", async () => {
  if (!runFile().aws_endpoint) return console.warn("!!! NOT TESTED: the commands, as the endpoint cannot be reached from here");
  const page = await open();
  const commandsOf = async (side: "queue" | "stream") => {
    await page.getByTestId(`${side}-cli`).click();
    const commands = await page.getByTestId(`${side}-command`).allInnerTexts();
    await page.keyboard.press("Escape");
    for (const command of commands) expect(command).toContain(`aws --endpoint-url ${runFile().aws_endpoint} --region us-east-1 `);
    return commands;
  };

  // What is in flight changes all the time: at some moment both say the same.
  const [counts = ""] = await commandsOf("queue");
  await expect.poll(async () => {
    const { Attributes } = (await runCommand(counts)) as { Attributes: Record<string, string> };
    return (await number(page, "in-flight")) - Number(Attributes["ApproximateNumberOfMessagesNotVisible"]);
  }, slow).toBe(0);

  const [shards = "", hours = "", records = ""] = await commandsOf("stream");
  const { Shards } = (await runCommand(shards)) as { Shards: { ShardId: string; SequenceNumberRange: { EndingSequenceNumber?: string } }[] };
  const read = Shards.filter((s) => !s.SequenceNumberRange.EndingSequenceNumber).map((s) => `lane-${s.ShardId}`);
  expect(await lanes(page).evaluateAll((all) => all.map((e) => (e as SVGElement).dataset["testid"]))).toEqual(read.sort());
  await expect.poll(() => page.getByTestId("kept-for").innerText()).toBe((await runCommand(hours)) === 24 ? "a day" : `${await runCommand(hours)} hours`);

  // Its records are drivers' points, and they are there again for who asks again.
  const points = async () => ((await runCommand(records)) as { Records: { Data: string; PartitionKey: string }[] }).Records;
  const [first, again] = [await points(), await points()];
  expect(first.length).toBeGreaterThan(0);
  expect(again).toEqual(first);
  expect(Buffer.from(first[0]!.Data, "base64").toString()).toMatch(/\{"v":2,"seq":\d+,.*"lat":-?[\d.]+/s); // maybe several points in one record, of the drivers that are its keys
  await page.context().close();
});

test("no number of a moment ago is shown as one of now", async () => {
  const page = await open();
  const still = () => page.evaluate(() => document.querySelector("[data-testid=stream-strip] [data-through]")?.parentElement?.getAttribute("transform"));
  const before = await still();
  await expect.poll(still).not.toBe(before);

  // Nothing answers.
  await page.route("**/v1/summary", (route) => route.abort());
  await expect.poll(() => agesOf(page), { timeout: 6000 }).toEqual(["stale", "stale"]);
  await expect.poll(() => page.getByTestId("queue").locator("[data-age=fresh]").count(), { timeout: 2000 }).toBe(0);
  const stopped = await still();
  await page.getByTestId("since").first().waitFor();
  expect(await still()).toBe(stopped);
  await screenshot(page, "home-stale");
  await page.unroute("**/v1/summary");
  await expect.poll(() => agesOf(page), slow).toEqual(["fresh", "fresh"]);

  // It answers, and always the same: a counter that is frozen.
  let frozen: string | undefined;
  await page.route("**/v1/summary", async (route) => {
    frozen ??= await (await route.fetch()).text();
    await route.fulfill({ contentType: "application/json", body: JSON.stringify({ ...(JSON.parse(frozen) as Summary), at: new Date().toISOString() }) });
  });
  await expect.poll(() => agesOf(page), { timeout: 10_000 }).toEqual(["stale", "stale"]);
  await page.unroute("**/v1/summary");
  await expect.poll(() => agesOf(page), slow).toEqual(["fresh", "fresh"]);
  await page.context().close();
});

/** Words of the strips that lie over other words, or over a place of a worker. */
const coveredWords = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    ["queue", "stream"].flatMap((side) => {
      const seen = [...document.querySelectorAll(`[data-testid=${side}] *`)].filter((el) => el.checkVisibility({ visibilityProperty: true }) && el.getBoundingClientRect().width > 1);
      // The letters themselves: a button is larger than its words.
      const words = seen.flatMap((el) => [...el.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE && n.textContent?.trim())).map((n) => {
        const range = document.createRange();
        range.selectNode(n);
        return { text: n.textContent ?? "", box: range.getBoundingClientRect() };
      });
      const places = seen.filter((el) => el.matches("g[data-held] circle") && el.getAnimations().length === 0).map((el) => ({ text: "a place", box: el.getBoundingClientRect() }));
      return words.flatMap((a) => [...words, ...places].flatMap((b) => {
        const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        return b !== a && wide > 1 && high > 4 ? [`${a.text} over ${b.text}`] : [];
      }));
    }),
  );

/** Answers with a summary of one's own making. */
async function answerWith(page: Page, change: (s: Summary) => Summary): Promise<void> {
  await page.route("**/v1/summary", async (route: Route) => {
    const summary = (await (await route.fetch()).json()) as Summary;
    await route.fulfill({ contentType: "application/json", body: JSON.stringify(change(summary)) });
  });
}

test("each shard has its own lane, each worker its own places, and what is not known is no 0", async () => {
  const page = await openPage(browser, desktop);
  await answerWith(page, (s) => ({
    ...s,
    queue: { ...s.queue, in_flight: null },
    workers: s.workers.map((w, i) => ({ ...w, held: i === 0 ? 2 : null })),
    deleted_ms_ago: null,
    stream: { ...s.stream, points_per_s: null, shards: s.stream.shards.map((shard, i) => ({ ...shard, bins: shard.bins.map((_, n) => (n < (i + 1) * 10 ? 1 : 0)) })) },
  }));
  await page.goto(url);
  await page.getByTestId("kept-for").waitFor();

  // Lanes are drawn from above to below in the order of their names.
  await expect.poll(() => lanes(page).count(), slow).toBeGreaterThan(0);
  const drawn = await lanes(page).evaluateAll((all) =>
    all.map((e) => ({ points: Number((e as SVGElement).dataset["points"]), top: Number(/M\S+ (\S+?)V/.exec(e.getAttribute("d") ?? "")?.[1]), ticks: (e.getAttribute("d") ?? "").split("M").length - 1 })));
  expect(drawn.map((d) => d.points)).toEqual(drawn.map((_, i) => (i + 1) * 10));
  expect(drawn.map((d) => d.ticks)).toEqual(drawn.map((d) => d.points));
  expect(drawn.map((d) => d.top)).toEqual([...drawn.map((d) => d.top)].sort((a, b) => a - b));

  expect(await page.getByTestId("queue").locator("g[data-held]").evaluateAll((all) => all.map((e) => (e as SVGElement).dataset["held"]))).toEqual(["2", "unknown"]);
  expect(await page.getByTestId("in-flight").innerText()).toContain("?");
  expect(await page.getByTestId("points-per-second").innerText()).toContain("?");
  expect(await page.getByTestId("deleted").getAttribute("data-count")).toBe("unknown");
  await screenshot(page, "home-unknown");
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page.context().close();
});

test("one press leads to a ride that is booked, once however often it is pressed", async () => {
  const page = await openPage(browser, desktop);
  const errors = consoleErrors(page);
  await page.goto(url);
  await page.getByTestId("watch-ride").click();
  await page.waitForURL(/\/rider\?ride=/, slow);
  const id = new URL(page.url()).searchParams.get("ride");

  const [ride] = await sql<{ rider: string; n: number }>("SELECT rider_id AS rider, (SELECT count(*)::int FROM ride.rides o WHERE o.rider_id = r.rider_id) AS n FROM ride.rides r WHERE id = $1", id);
  expect(ride?.n).toBe(1);

  // Who comes back while it is driven watches the same.
  await page.goto(url);
  await page.getByTestId("watch-ride").click();
  await page.waitForURL(/\/rider\?ride=/, slow);
  const [after] = await sql<{ n: number }>("SELECT count(*)::int AS n FROM ride.rides WHERE rider_id = $1", ride?.rider);
  const [ended] = await sql<{ ended: boolean }>("SELECT ended_at IS NOT NULL AS ended FROM ride.rides WHERE id = $1", id);
  if (!ended?.ended) expect(after?.n).toBe(1);
  expect(errors).toEqual([]);
  await page.context().close();
});

test("a press that fails says why, and can be pressed again", async () => {
  const page = await openPage(browser, desktop);
  await page.route("**/session/rider", (route) => route.abort());
  await page.goto(url);
  await page.getByTestId("watch-ride").click();
  await page.getByTestId("problem").waitFor();
  expect(await page.getByTestId("watch-ride").isEnabled()).toBe(true);
  await page.context().close();
});

describe.each(screens)("on $name", (screen) => {
  test("both pictures are tables as well, and nothing is cut off", async () => {
    const page = await open(screen);
    await mapLibreShown(page);
    expect(await clippedTexts(page)).toEqual([]);
    if (isPhone(screen)) expect(await smallTargets(page)).toEqual([]);
    expect(await coveredWords(page)).toEqual([]);

    for (const [name, row] of [["Queue", /^dispatch/], ["Stream", /^shard \d/]] as const) {
      await page.getByRole("button", { name: `As a list: ${name}` }).click();
      const list = page.getByRole("dialog", { name: `As a list: ${name}` }).getByRole("table").first();
      await list.waitFor();
      expect(await list.locator("tbody td").first().innerText()).toMatch(row);
      expect(await accessibilityFaults(page)).toEqual([]);
      await screenshot(page, `home-${name.toLowerCase()}-list-${screen.name}`);
      await page.keyboard.press("Escape");
    }
    await page.context().close();
  });
});

describe.each(screens)("on $name", (screen) => {
  test("a picture of a moment ago says so beside what it shows, which still stands there", async () => {
    const page = await open(screen);
    const heights = () => page.evaluate(() => ["queue", "stream"].map((side) => document.querySelector(`[data-testid=${side}]`)?.clientHeight));
    const before = await heights();

    // The longest number that a process may have lies over no place, and three readers in one place over no other.
    await answerWith(page, (s) => ({
      ...s,
      workers: s.workers.map((w) => ({ ...w, pid: 4_194_304 })),
      stream: { ...s.stream, readers: [["mapfeed", 5], ["nearby", 9], ["history", 480], ["heatmap", 500], ["speeding", 520]].map(([reader, behind_ms]) => ({ reader, behind_ms, heard_at: s.at }) as Summary["stream"]["readers"][number]) },
    }));
    await expect.poll(() => page.getByTestId("queue-strip").textContent(), slow).toContain("4194304");
    expect(await page.getByTestId("stream-strip").textContent()).toContain("3 readers 0.5 s behind");
    expect(await coveredWords(page)).toEqual([]);
    await screenshot(page, `home-three-readers-${screen.name}`);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await page.route("**/v1/summary", (route) => route.abort());
    await expect.poll(() => agesOf(page), { timeout: 10_000 }).toEqual(["stale", "stale"]);

    for (const side of ["queue", "stream"]) {
      const half = page.getByTestId(side);
      await half.getByTestId("since").waitFor();
      expect(await half.getByTestId("says").isVisible()).toBe(true);
    }
    expect(await coveredWords(page)).toEqual([]);
    expect(await clippedTexts(page)).toEqual([]);
    expect(await heights()).toEqual(before);
    await screenshot(page, `home-stale-${screen.name}`);
    await page.context().close();
  });
});

test("one car is ringed, with as many points as are behind it", async () => {
  const page = await open();
  await page.getByTestId("named-points").waitFor({ timeout: 120_000 }); // a car has to come there
  const n = await number(page, "named-points");
  expect(n).toBeGreaterThanOrEqual(5);
  expect(n).toBeLessThanOrEqual(9); // a point a second, of the last 8 s
  await page.context().close();
});

/** Whether the simulator books rides, of which one is shown; it says loudly that nothing is tested where it does not. */
async function ridesAreSimulated(): Promise<boolean> {
  const [booked] = await sql<{ n: number }>("SELECT count(*)::int AS n FROM ride.rides WHERE rider_id LIKE 'sim-%' AND requested_at > now() - interval '1 minute'");
  if (!booked?.n) console.warn("!!! NOT TESTED: the ride that is followed, as the simulator books none");
  return Boolean(booked?.n);
}

/** What the socket has told of the ride that is shown to everybody. */
function shownRide(page: Page): () => { events: { kind: string; at: string; pid?: number }[]; vehicle: number | null } | undefined {
  let ride: ReturnType<ReturnType<typeof shownRide>>;
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      const text = typeof payload === "string" ? (JSON.parse(payload) as { type: string; ride: typeof ride }) : undefined;
      if (text?.type === "shown_ride") ride = text.ride;
    }),
  );
  return () => ride;
}

test("after 20 s without anybody a real ride of the simulator is told, and any input brings the headline back", async () => {
  if (!(await ridesAreSimulated())) return;

  const page = await openPage(browser, desktop, "nobody");
  const told = shownRide(page);
  await page.goto(url);
  await page.getByTestId("kept-for").waitFor();
  expect(await page.getByTestId("ride-caption").count()).toBe(0);

  await page.getByTestId("ride-caption").waitFor({ timeout: 120_000 });
  await expect.poll(() => told()?.events.some((e) => e.kind === "received"), slow).toBe(true);
  const ride = told();
  const requested = ride?.events.find((e) => e.kind === "requested");
  const received = ride?.events.find((e) => e.kind === "received");

  // The ride is in the database, its rider is no person, and the worker was that process.
  const [stored] = await sql<{ rider: string; pid: string }>(
    `SELECT r.rider_id AS rider, e.data->>'pid' AS pid FROM ride.rides r JOIN ride.ride_events q ON q.ride_id = r.id AND q.kind = 'requested'
     JOIN ride.ride_events e ON e.ride_id = r.id AND e.kind = 'received' WHERE q.at = $1 ORDER BY e.seq LIMIT 1`, requested?.at);
  expect(stored?.rider).toMatch(/^sim-/);
  expect(stored?.pid).toBe(String(received?.pid));
  expect(JSON.stringify(ride)).not.toMatch(/sim-|[0-9a-f]{8}-[0-9a-f]{4}-/);
  await screenshot(page, "home-idle");
  expect(await accessibilityFaults(page)).toEqual([]);

  await page.keyboard.press("Shift");
  await page.getByTestId("ride-caption").waitFor({ state: "detached" });
  expect(await page.locator("h1").getAttribute("data-away")).toBeNull();
  await page.context().close();
});

test("who comes after all have left is told the next ride, and nothing of it is cut off on the smallest screen", async () => {
  if (!(await ridesAreSimulated())) return;

  const page = await openPage(browser, smallest, "nobody");
  await page.goto(url);
  await page.getByTestId("ride-caption").waitFor({ timeout: 120_000 });
  expect(await clippedTexts(page)).toEqual([]);
  expect(await accessibilityFaults(page)).toEqual([]);
  await screenshot(page, "home-idle-smallest");
  await page.context().close();
});
