// A press comes before the map: what answers it is painted first. A frame of the map can
// take a quarter of a second where the processor draws it.

const presses = ["keydown", "pointerdown", "click"];
const longest = 500; // ms for which presses that follow one another put off the map

export interface GivingWay {
  /** Whether a press is being answered just now, so that nothing heavy may be done. */
  busy: () => boolean;
  stop: () => void;
}

/** Watches for presses outside of an element, which answers those within. `late` runs after one if busy was asked meanwhile. */
export function givingWay(answers: Element, late: () => void): GivingWay {
  let [answering, putOff, last, since] = [false, false, 0, 0];

  const pressed = (e: Event) => {
    if (e.target instanceof Node && answers.contains(e.target)) return;
    if (!answering) since = e.timeStamp;
    if (answering && e.timeStamp - since > longest) return; // a key that is held must not hold the map
    answering = true;
    const mine = ++last; // Control comes before K, and pointerdown before click: the newest counts

    // The first frame has the answer. When the second begins, that one is on its way to the screen.
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (mine !== last) return;
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
