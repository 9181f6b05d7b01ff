// A press comes before the map: what answers it is painted first. A frame of the map can
// take a quarter of a second where the processor draws it.

const presses = ["keydown", "pointerdown", "click"];

export interface GivingWay {
  /** Whether a press is being answered just now, so that nothing heavy may be done. */
  busy: () => boolean;
  stop: () => void;
}

/** Watches for presses outside of an element, which answers those within. `late` runs after one if busy was asked meanwhile. */
export function givingWay(answers: Element, late: () => void): GivingWay {
  let [answering, putOff] = [false, false];

  const pressed = (e: Event) => {
    if (answering || (e.target instanceof Node && answers.contains(e.target))) return;
    answering = true;

    // The first frame has the answer. When the second begins, that one is on its way to the screen.
    requestAnimationFrame(() => requestAnimationFrame(() => {
      answering = false;
      if (putOff) late();
      putOff = false;
    }));
  };
  for (const press of presses) addEventListener(press, pressed, { capture: true, passive: true });

  return {
    busy() {
      putOff ||= answering;
      return answering;
    },
    stop() {
      for (const press of presses) removeEventListener(press, pressed, { capture: true });
    },
  };
}
