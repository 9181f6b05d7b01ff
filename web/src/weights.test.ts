import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { cityFiles, type CityFile } from "./map/city-files";

interface Chunk {
  file: string;
  imports?: string[];
  dynamicImports?: string[];
  css?: string[];
}

const dist = new URL("../dist/", import.meta.url).pathname;
const manifest = `${dist}.vite/manifest.json`;
const built = existsSync(manifest);
if (!built) console.warn("!!! NOT TESTED: what the pages weigh, as the web app is not built: run `npm run build`");
const chunks = (built ? JSON.parse(readFileSync(manifest, "utf8")) : {}) as Record<string, Chunk>;

const gzipped = (file: string) => gzipSync(readFileSync(dist + file)).length;

/** The files of code and style that come with some chunks, each once. */
function filesOf(keys: string[], seen = new Set<string>()): Set<string> {
  for (const key of keys) {
    const chunk = chunks[key];
    if (!chunk || seen.has(chunk.file)) continue;
    seen.add(chunk.file);
    for (const css of chunk.css ?? []) seen.add(css);
    filesOf(chunk.imports ?? [], seen);
  }
  return seen;
}

const shell = "index.html";
const map = "src/map/maplibre.ts";
const pages = (chunks[shell]?.dynamicImports ?? []).filter((key) => key.endsWith("-page.tsx"));
const hasMap = (page: string): boolean => [...filesOf([page])].some((file) => Object.values(chunks).some((c) => c.file === file && c.dynamicImports?.includes(map)));
const weight = (keys: string[]) => [...filesOf(keys)].reduce((sum, file) => sum + gzipped(file), 0);

describe.runIf(built)("gzipped, in bytes", () => {
  test("the build has pages with a map and pages without", () => {
    expect(pages.filter(hasMap).length).toBeGreaterThanOrEqual(3);
    expect(pages.filter((p) => !hasMap(p)).length).toBeGreaterThanOrEqual(1);
    expect(weight([map])).toBeGreaterThan(200_000);
  });

  test.each(pages)("%s with its styles is light enough", (page) => {
    const [code, limit] = hasMap(page) ? [weight([shell, page, map]), 600_000] : [weight([shell, page]), 200_000];
    console.info(`${page}: ${Math.round(code / 1000)} of ${limit / 1000} kB`);
    expect(code).toBeLessThanOrEqual(limit);
  });

  test("a page can be used before the code of the map has come", () => {
    for (const page of pages) expect(weight([shell, page]), page).toBeLessThanOrEqual(200_000);
  });
});

test("the city is light enough to be used before one comes close", () => {
  const folder = new URL("../../services/domain/city/data/map/", import.meta.url).pathname;
  const sizes = Object.fromEntries(readdirSync(folder).map((file) => [file.replace(".json.gz", ""), statSync(folder + file).size]));
  expect(Object.keys(sizes).sort()).toEqual(Object.keys(cityFiles).sort());

  const first = (Object.keys(cityFiles) as CityFile[]).filter((file) => cityFiles[file] === 0);
  expect(first.reduce((sum, file) => sum + (sizes[file] ?? 0), 0)).toBeLessThanOrEqual(350_000);
});
