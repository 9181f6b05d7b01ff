import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { city, page, paints, radius, space, type, type Scheme } from "./tokens";

const schemes: Scheme[] = ["light", "dark"];

/** A colour's red, green and blue. */
const rgb = (hex: string) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)) as [number, number, number];

/** WCAG 2.2's contrast of two colours, from 1 to 21. */
function contrast(a: string, b: string): number {
  const luminance = (hex: string) => {
    const [r, g, bl] = rgb(hex).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl;
  };
  const [dim, bright] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];

  return (bright + 0.05) / (dim + 0.05);
}

/** How far a colour is from grey, and its hue in degrees. */
function hueOf(hex: string): { chroma: number; hue: number } {
  const [r, g, b] = rgb(hex);
  const [max, chroma] = [Math.max(r, g, b), Math.max(r, g, b) - Math.min(r, g, b)];
  if (chroma === 0) return { chroma, hue: 0 };

  const sixth = max === r ? (g - b) / chroma : max === g ? (b - r) / chroma + 2 : (r - g) / chroma + 4;
  return { chroma, hue: (sixth * 60 + 360) % 360 };
}

describe.each(schemes)("the %s tokens", (scheme) => {
  const p = page[scheme];
  const surfaces = [p.ground, p.surface, p.over, p.raised];
  const lowest = (colour: string, on: string[] = surfaces) => Math.min(...on.map((s) => contrast(colour, s)));

  test.each(["text", "text2", "queue-text", "stream-text", "fault"] as const)("%s can be read on every surface", (word) => {
    expect(lowest(p[word])).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["queue", "stream", "fault", "edge"] as const)("%s can be seen as a mark on every surface", (mark) => {
    expect(lowest(p[mark])).toBeGreaterThanOrEqual(3);
  });

  test("grey text is far from faint, and a button's words are ink on paper", () => {
    expect(lowest(p.text)).toBeGreaterThanOrEqual(14.6);
    expect(lowest(p.text2)).toBeGreaterThanOrEqual(6.7);
    expect(contrast(p["on-action"], p.action)).toBeGreaterThanOrEqual(14.6);
  });

  test("words and marks can be seen on the city as well", () => {
    const c = city[scheme];
    const ground = [c.land, c.sea, c.park, c.works, c.building];
    expect(lowest(c.label, ground)).toBeGreaterThanOrEqual(4.5);
    expect(lowest(p.text2, [c.sea])).toBeGreaterThanOrEqual(4.5);
    for (const word of [p["queue-text"], p["stream-text"]]) expect(lowest(word, ground)).toBeGreaterThanOrEqual(3); // large type only
    for (const mark of [p.queue, p.stream, p.text]) expect(lowest(mark, [c.land, c.sea, c.park])).toBeGreaterThanOrEqual(2.9);
  });

  test("amber is the queue's, blue is the stream's, and nothing else has a hue but a fault", () => {
    const hues: Record<string, number> = { queue: 35, stream: 213, fault: 344 };

    for (const [name, colour] of Object.entries(p)) {
      const { chroma, hue } = hueOf(colour);
      const own = hues[name.split("-")[0] ?? ""];
      if (own === undefined) expect.soft(chroma, name).toBeLessThanOrEqual(24);
      else expect.soft(Math.abs(hue - own), name).toBeLessThanOrEqual(6);
    }
    for (const [name, colour] of Object.entries(city[scheme])) expect.soft(hueOf(colour).chroma, name).toBeLessThanOrEqual(20);
  });
});

test("a car's paint is muted: it has less than half of the hue of queue, stream and fault", () => {
  const strongest = Math.max(...Object.values(paints).map((c) => hueOf(c).chroma));
  const weakest = Math.min(...schemes.flatMap((s) => [page[s].queue, page[s].stream, page[s].fault].map((c) => hueOf(c).chroma)));

  expect(strongest).toBeLessThanOrEqual(60);
  expect(strongest).toBeLessThan(weakest / 2);
});

test("there are five sizes of type, and nothing is under 13", () => {
  expect(Object.keys(type)).toEqual(["13", "15", "20", "40", "64"]);
  expect(Object.values(space)).toEqual([8, 12, 16, 24, 40]);
  expect(Object.values(radius)).toEqual([4, 10, 16]);
});

const src = new URL(".", import.meta.url).pathname;
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((f) => /\.(ts|tsx|css)$/.test(f) && !/\.test\.tsx?$|^tokens\.ts$|^api\/schema\.ts$/.test(f));

/** The code without its comments, which may speak of colours. */
const codeOf = (file: string) => readFileSync(src + file, "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|\s\/\/ .*$/gm, "");

/** What is a colour, a hue of Mantine's, or a size of type of one's own, in some code. */
function strangersIn(code: string): string[] {
  const patterns = [
    /(?<![\w&])#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})(?![\w-])/gi,
    /\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\([^)]*\d/gi,
    /\b(?:c|color|bg)="(?!fault"|dimmed"|inherit")[^"]*"/g,
    /mantine-color-(?:red|pink|grape|violet|indigo|blue|cyan|teal|green|lime|yellow|orange)\b/g,
    /(?:color|background|border|outline|fill|stroke|shadow)[\w-]*:[^;{\n]*\b(?:red|green|blue|yellow|orange|teal|navy|tomato|gold|pink|purple|gray|grey|black|white)\b(?!-)/gi,
    /font-size:\s*[\d.]+(?:px|rem|em)/g,
  ];
  return patterns.flatMap((p) => code.match(p) ?? []);
}

test("what is looked for is found", () => {
  const planted = ['a { color: #c0ffee; }', "b { background: rgb(1 2 3 / 4%); }", '<Text c="orange">', "c { color: tomato; }", "d { font-size: 0.9rem; }", "var(--mantine-color-blue-6)"];
  for (const code of planted) expect.soft(strangersIn(code), code).not.toEqual([]);
  expect(strangersIn('href="#main" color-mix(in srgb, var(--text) 10%, transparent) c="fault" `#${x}`')).toEqual([]);
});

// What may not be otherwise: a file, and what it may have.
const allowed: Record<string, string[]> = {
  "page.css": ["font-size: 1.25rem", "font-size: 2.5rem"], // 20 and 40 px: the headline, by the screen's width
  "home/home-page.module.css": ["font-size: 4rem"], // 64 px: the first page's headline
};

test.each(files)("%s has no colour of its own", (file) => {
  expect(strangersIn(codeOf(file)).filter((found) => !allowed[file]?.includes(found))).toEqual([]);
});

test("the style sheet of every Mantine component is there", () => {
  const sheets = new Set(readdirSync(`${src}../node_modules/@mantine/core/styles`));
  const imports = files.flatMap((f) => [...codeOf(f).matchAll(/import \{([^}]*)\} from "@mantine\/core"/g)]);
  const used = new Set(imports.flatMap(([, names = ""]) => names.split(",").map((n) => `${n.trim()}.css`)).filter((sheet) => sheets.has(sheet)));
  const imported = [...codeOf("mantine.ts").matchAll(/styles\/(\w+\.css)/g)].map(([, sheet]) => sheet);

  expect(used.size).toBeGreaterThan(10);
  expect([...used].filter((sheet) => !imported.includes(sheet))).toEqual([]);
});
