const moves = ["pointermove", "pointerdown", "wheel", "touchstart", "keydown"];

export interface Presence {
  /** Runs `then` as soon as somebody has moved or pressed anything on the page, also before this, or after so many ms. */
  wait: (within: number, then: () => void) => void;
  stop: () => void;
}

/** Watches the page for somebody from now on. */
export function presence(page: EventTarget): Presence {
  let [there, run] = [false, undefined as (() => void) | undefined];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = new AbortController();

  const go = () => {
    watch.abort();
    clearTimeout(timer);
    run?.();
  };
  const arrived = () => {
    there = true;
    if (run) go();
  };
  for (const move of moves) page.addEventListener(move, arrived, { capture: true, passive: true, signal: watch.signal });

  return {
    wait(within, then) {
      run = then;
      if (there) go();
      else timer = setTimeout(go, within);
    },
    stop() {
      run = undefined;
      watch.abort();
      clearTimeout(timer);
    },
  };
}
