import { mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import pg from "pg";
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from "playwright-core";

interface RunFile {
  database_url: string;
  backend: string; // emulator, localstack or aws
  aws_endpoint?: string;
  processes: { name: string; pid: number; role?: string; url?: string }[];
}

export const url = process.env.TANDEM_URL ?? "http://127.0.0.1:8080";
const data = process.env.TANDEM_DATA ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tandem", "demo");
const screenshots = process.env.TANDEM_SHOTS; // a folder to put them in

/** The processes that the demo's supervisor runs: a source that is independent of the page. */
export const runFile = (): RunFile => JSON.parse(readFileSync(join(data, "run.json"), "utf8")) as RunFile;

export async function sql<T extends pg.QueryResultRow>(query: string, ...values: unknown[]): Promise<T[]> {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL ?? runFile().database_url });
  await client.connect();

  try {
    return (await client.query<T>(query, values)).rows;
  } finally {
    await client.end();
  }
}

/** Asks SQS or Kinesis itself, as the SDK does; undefined where this machine cannot reach them. */
export async function aws<T>(target: string, body: object): Promise<T | undefined> {
  const endpoint = runFile().aws_endpoint;
  if (!endpoint) return undefined;

  const type = target.startsWith("AmazonSQS") ? "application/x-amz-json-1.0" : "application/x-amz-json-1.1";
  const answer = await fetch(endpoint, { method: "POST", headers: { "X-Amz-Target": target, "Content-Type": type }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${target}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

export const openBrowser = (...more: string[]): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",

    // WebGL is drawn by the processor, as a test machine has no graphics card.
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
      ...more,
    ],
  });

export interface Screen {
  name: string;
  viewport: { width: number; height: number };
  colorScheme: "light" | "dark";
}

export const desktop: Screen = { name: "desktop-light", viewport: { width: 1440, height: 900 }, colorScheme: "light" };

export const screens: Screen[] = [
  desktop,
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
  { name: "small-phone-light", viewport: { width: 320, height: 568 }, colorScheme: "light" },
];

export const isPhone = (screen: Screen) => screen.viewport.width < 600;

/** What pages threw: no test passes with it (vitest.setup.ts). */
export const thrown: string[] = [];

/** A new browser profile, where nobody has signed in. */
export async function newProfile(browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  context.on("weberror", (e) => thrown.push(`${e.page()?.url()}: ${String(e.error())}`));
  return context;
}

/**
 * A page in a profile of its own. Somebody is there unless it is left alone: without
 * anybody MapLibre comes late, and the first page tells of a ride after 20 s.
 */
export async function openPage(browser: Browser, { viewport, colorScheme }: Screen, presence: "somebody" | "nobody" = "somebody"): Promise<Page> {
  const page = await (await newProfile(browser, { viewport, colorScheme })).newPage();
  if (presence === "somebody") await page.addInitScript(() => setInterval(() => dispatchEvent(new Event("pointermove")), 1000));
  return page;
}

export async function screenshot(page: Page, name: string): Promise<void> {
  if (!screenshots) return;

  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

/** The faults that axe finds on a page, one line each. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();

  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 160)}`));
}

/** The exact value of an element that shows it shortened. */
export const valueOf = (page: Page, testid: string) => page.getByTestId(testid).getAttribute("data-value");
