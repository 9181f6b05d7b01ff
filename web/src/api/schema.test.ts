import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url).pathname; // web/

test("schema.ts is what `npm run gen` makes of docs/openapi.yaml", () => {
  const made = execFileSync("node_modules/.bin/openapi-typescript", ["../docs/openapi.yaml"], { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

  // Compared as one boolean: the difference of two long files helps nobody.
  const current = made.trim() === readFileSync(`${root}src/api/schema.ts`, "utf8").trim();
  expect(current, "docs/openapi.yaml has changed: run npm --prefix web run gen").toBe(true);
}, 60_000);
