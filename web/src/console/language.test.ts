import { expect, test, vi } from "vitest";

test.each([["de-CH", "de-CH"], ["en-US@posix", "en"]])("a browser's language %s is one that Intl takes", async (told, used) => {
  vi.resetModules();
  vi.stubGlobal("navigator", { language: told });
  await import("./language");
  expect(navigator.language).toBe(used);
  vi.unstubAllGlobals();
});
