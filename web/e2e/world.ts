import { mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import pg from "pg";
import { chromium, type Browser, type Page } from "playwright-core";

interface RunFile {
  database_url: string;
  processes: { name: string; pid: number; role?: string }[];
}

export const url = process.env.TANDEM_URL ?? "http://127.0.0.1:8080";
const data = process.env.TANDEM_DATA ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tandem", "demo");
const shots = process.env.TANDEM_SHOTS;

/** What the demo's supervisor says runs: a source that is not the page's own. */
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

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    ],
  });

export interface Look {
  name: string;
  viewport: { width: number; height: number };
  colorScheme: "light" | "dark";
}

export const desktop: Look = { name: "desktop-light", viewport: { width: 1440, height: 900 }, colorScheme: "light" };

export const looks: Look[] = [
  desktop,
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
];

/** A page in a browser profile of its own: signed in as nobody. */
export async function openPage(browser: Browser, look: Look): Promise<Page> {
  const { viewport, colorScheme } = look;
  return (await browser.newContext({ viewport, colorScheme })).newPage();
}

export async function shoot(page: Page, name: string): Promise<void> {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

/** What axe finds wrong, one line each. */
export async function faults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 160)}`));
}

/** The exact value behind what is shown. */
export const valueOf = (page: Page, testid: string) => page.getByTestId(testid).getAttribute("data-value");
