// What a person feels of a page, by the browser's own measure of it.
import type { Page } from "playwright-core";

interface Shift {
  at: number;
  value: number;
  of: string[]; // what has moved, from where to where
}

interface Press {
  name: string; // of the event
  on: string;
  ms: number; // until the next picture is shown
}

type Measured = typeof globalThis & { shifts: Shift[]; presses: Press[] };

/** Has a page measure itself from its load on. */
export async function measure(page: Page): Promise<void> {
  await page.addInitScript(() => {
    type LayoutShift = PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node: Node | null; previousRect: DOMRect; currentRect: DOMRect }[] };
    const measured = globalThis as Measured;
    [measured.shifts, measured.presses] = [[], []];
    const corner = ({ x, y, width, height }: DOMRect) => [x, y, width, height].map(Math.round).join(" ");
    const words = (node: Node | null) => `${node?.nodeName} ${node?.textContent?.slice(0, 40)}`;

    new PerformanceObserver((list) => {
      for (const e of list.getEntries() as LayoutShift[]) {
        // What moves right after a press was asked for.
        if (!e.hadRecentInput) measured.shifts.push({ at: e.startTime, value: e.value, of: e.sources.map((s) => `${words(s.node)}: ${corner(s.previousRect)} -> ${corner(s.currentRect)}`) });
      }
    }).observe({ type: "layout-shift", buffered: true });

    new PerformanceObserver((list) => {
      for (const e of list.getEntries() as (PerformanceEventTiming & { interactionId: number })[]) {
        if (e.interactionId) measured.presses.push({ name: e.name, on: (e.target as HTMLElement | null)?.closest<HTMLElement>("[data-testid]")?.dataset["testid"] ?? "", ms: e.duration });
      }
    }).observe({ type: "event", buffered: true, durationThreshold: 16 } as PerformanceObserverInit);
  });
}

/** Cumulative layout shift: the worst window of at most 5 s in which less than 1 s lies between shifts. */
export async function layoutShift(page: Page): Promise<{ cls: number; shifts: Shift[] }> {
  const shifts = await page.evaluate(() => (globalThis as Measured).shifts);
  let [cls, sum, start, last] = [0, 0, 0, -Infinity];

  for (const { at, value } of shifts) {
    if (at - last > 1000 || at - start > 5000) [sum, start] = [0, at];
    [sum, last] = [sum + value, at];
    cls = Math.max(cls, sum);
  }
  return { cls, shifts };
}

/** The events of presses, so far. */
export const presses = (page: Page): Promise<Press[]> => page.evaluate(() => (globalThis as Measured).presses);

/** Interaction to next paint: the slowest press. */
export async function slowestPress(page: Page): Promise<Press> {
  return (await presses(page)).reduce((a, b) => (b.ms > a.ms ? b : a), { name: "none", on: "", ms: 0 });
}
