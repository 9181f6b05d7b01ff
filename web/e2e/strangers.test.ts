import { createServer as createPages } from "node:http";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Browser } from "playwright-core";
import { afterEach, expect, test } from "vitest";
import { desktop, openBrowser, openPage, runFile, url } from "./world";

// What somebody else's page can do, in a real browser, to the Tandem of whoever reads
// it: its requests do arrive, and each is refused.

const evil = "evil.example";
const gateway = new URL(url);
// In containers the gateway alone can be reached.
const services = [{ name: "gateway", url }, ...runFile().processes.flatMap((p) => (p.url && p.name !== "gateway" ? [{ name: p.name, url: p.url }] : []))];
const emulator = services.find((s) => s.name === "emulator");

let browser: Browser | undefined;
const servers: Server[] = [];
afterEach(async () => {
  await browser?.close();
  for (const s of servers.splice(0)) s.close();
});

async function listen<S extends Server>(server: S): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

/** Connects a socket with a server, and notes the status of each answer. */
function pass(from: Socket, target: URL, statuses: number[]): void {
  const to = connect(Number(target.port), target.hostname);
  to.on("data", (bytes) => {
    for (const [, status] of bytes.toString("latin1").matchAll(/HTTP\/1\.1 (\d{3}) /g)) statuses.push(Number(status));
  });
  from.on("error", () => to.destroy());
  to.on("error", () => from.destroy());
  from.pipe(to).pipe(from);
}

/** A port that leads to a server, and the statuses of what the server answered there. */
async function tap(target: string): Promise<{ url: string; statuses: number[] }> {
  const statuses: number[] = [];
  const port = await listen(createServer((s) => pass(s, new URL(target), statuses)));
  return { url: `http://127.0.0.1:${port}`, statuses };
}

test("a page whose name was made to lead here (DNS rebinding) becomes nobody", async () => {
  // First the name leads to the attacker, and then to the gateway: under the same port,
  // so that to the browser both are one origin.
  let rebound = false;
  const statuses: number[] = [];
  const port = await listen(
    createServer((s) => {
      if (rebound) return pass(s, gateway, statuses);
      s.on("error", () => s.destroy());
      s.once("data", () => s.end("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<title>evil</title>"));
    }),
  );
  browser = await openBrowser(`--host-resolver-rules=MAP ${evil}:${gateway.port} 127.0.0.1:${port}`);
  const page = await openPage(browser, desktop);
  await page.goto(`http://${evil}:${gateway.port}/`);
  expect(await page.title()).toBe("evil");
  rebound = true;

  const ask = async (requests: string[]) => {
    const answers: Record<string, number> = {};
    for (const request of requests) {
      const [method, path] = request.split(" ");
      const body = method === "POST" ? { body: '{"role":"rider"}', headers: { "Content-Type": "application/json" } } : {};
      answers[request] = (await fetch(path ?? "", { method, ...body })).status;
    }
    return answers;
  };
  const requests = ["POST /session/admin", "POST /session/rider", "GET /session/admin", "GET /admin/v1/overview", "POST /viewer/v1/socket-ticket", "POST /v1/tokens", "GET /healthz"];

  expect(await page.evaluate(ask, requests)).toEqual(Object.fromEntries(requests.map((r) => [r, 421])));
  expect(statuses.filter((s) => s === 421).length).toBeGreaterThanOrEqual(requests.length); // they did arrive
  expect(await page.context().cookies()).toEqual([]);

  const socket = await page.evaluate(
    () =>
      new Promise((done) => {
        const s = new WebSocket(`ws://${location.host}/viewer/socket?ticket=none`);
        s.onopen = () => done("open");
        s.onclose = () => done("refused");
      }),
  );
  expect(socket).toBe("refused");

  // The same from Tandem's own page is a login.
  const own = await openPage(browser, desktop);
  await own.goto(url);
  expect(await own.evaluate(ask, ["POST /session/rider", "POST /viewer/v1/socket-ticket"])).toEqual({ "POST /session/rider": 200, "POST /viewer/v1/socket-ticket": 200 });
});

test("a page of another site can post nothing to any service, nor send an SMS", async () => {
  const create = "Action=CreateTopic&Version=2010-03-31&Name=evil";
  const publish = "Action=Publish&Version=2010-03-31&PhoneNumber=%2B15550001111&Message=evil";
  const taps = await Promise.all(services.map(async (s) => ({ name: s.name, ...(await tap(s.url)) })));

  const port = await listen(createPages((_, w) => w.setHeader("Content-Type", "text/html").end("<title>evil</title>")));
  browser = await openBrowser(`--host-resolver-rules=MAP ${evil} 127.0.0.1`);
  const page = await openPage(browser, desktop);
  await page.goto(`http://${evil}:${port}/`);

  // Nobody is asked before such a request is sent (no preflight): a fetch without
  // CORS, a beacon, and a form.
  await page.evaluate(
    async ([targets, bodies]) => {
      for (const target of targets ?? []) {
        for (const path of ["/", "/session/admin", "/v1/tokens", "/v1/rides"]) {
          for (const body of bodies ?? []) {
            const sent = fetch(target + path, { method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams(body) });
            await sent.catch(() => undefined); // the page may not even know that it was answered
          }
        }
        navigator.sendBeacon(`${target}/`, new Blob([bodies?.[0] ?? ""], { type: "text/plain" }));

        const frame = document.createElement("iframe");
        frame.name = target;
        const form = document.createElement("form");
        Object.assign(form, { method: "post", action: `${target}/`, target });
        for (const [name, value] of new URLSearchParams(bodies?.[0])) form.append(Object.assign(document.createElement("input"), { name, value }));
        document.body.append(frame, form);
        const loaded = new Promise((done) => (frame.onload = done));
        form.submit();
        await loaded;
      }
    },
    [taps.map((t) => t.url), [create, publish]],
  );

  // 4 paths x 2 bodies, a beacon and a form for each of them.
  await expect.poll(() => taps.map((t) => t.statuses.length), { timeout: 20_000 }).toEqual(taps.map(() => 10));
  for (const t of taps) expect(new Set(t.statuses), t.name).toEqual(new Set([403]));
  expect(await page.context().cookies()).toEqual([]);
  if (!emulator) return; // LocalStack has a rule of its own

  const aws = async (body: string) => (await fetch(emulator.url, { method: "POST", body: new URLSearchParams(body) })).text();
  expect(await aws("Action=ListTopics&Version=2010-03-31")).not.toContain(":evil");
  expect(await (await fetch(`${emulator.url}/_aws/sns/sms-messages`)).text()).not.toContain("+15550001111");

  // The same from a program does it.
  const [arn] = (await aws(create)).match(/arn:[^<]*:evil/) ?? [];
  expect(await aws("Action=ListTopics&Version=2010-03-31")).toContain(":evil");
  await aws(`Action=DeleteTopic&Version=2010-03-31&TopicArn=${arn}`);
});
