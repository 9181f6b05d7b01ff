import { Problem } from "./client";

const firstPause = 500; // ms
const longestPause = 5_000; // ms

interface Options {
  signal: AbortSignal; // ends the tries
  within: number; // ms after which a failure is final
  onFailure: (error: unknown) => void; // hears of each failure that is tried again
}

/**
 * Asks again and again while the failure may pass. What is asked must be safe to
 * repeat: a booking is by its key, however often the server receives it.
 */
export async function persist<T>(ask: () => Promise<T>, { signal, within, onFailure }: Options): Promise<T> {
  const until = Date.now() + within;

  for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
    try {
      return await ask();
    } catch (e) {
      const temporary = e instanceof Problem && e.temporary;
      if (signal.aborted || !temporary || Date.now() + pause > until) throw e;
      onFailure(e);
    }

    // Chance spreads the pauses, so that not all pages come back at one moment.
    await wait(pause * (0.75 + Math.random() / 2), signal);
    if (signal.aborted) throw new DOMException("The tries were ended.", "AbortError");
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
