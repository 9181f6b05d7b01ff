// uPlot asks Intl for the browser's language while it loads, and Intl throws at one that is
// none: a Chromium whose system says LANG=C.UTF-8 has "en-US@posix".
try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en", configurable: true });
}

export {};
