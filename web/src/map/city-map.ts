import type { BaseMap, BaseMapHandlers } from "./base";
import { glMap, type GLMap } from "./gl";
import { plainMap } from "./plain";
import { presence } from "./presence";

const carsWithin = 1_500; // ms after which MapLibre waits no longer for the first cars
const aloneFor = 8_000; // ms after which it waits no longer for somebody

/**
 * The base map of a page: a plain one at once, and MapLibre's in its place when that
 * is drawn. MapLibre is three quarters of the page's code, so the first cars would
 * wait for it for a second or more. Its first pictures take half a second where there
 * is no graphics card: they come when somebody is there to look closer.
 */
export function cityMap(container: HTMLElement, isDark: boolean, handlers: BaseMapHandlers): BaseMap {
  const [below, above] = [layer(container), layer(container)];
  below.inert = true; // until it is shown there is one map, also for the keyboard and for a screen reader
  let gl: GLMap | undefined;
  let [dark, removed, settled] = [isDark, false, false];
  const somebody = presence(window);

  const settle = () => {
    clearTimeout(patience);
    if (settled || removed) return;
    settled = true;
    somebody.wait(aloneFor, begin);
  };
  const begin = () => {
    import("./maplibre").then(({ Map }) => {
      if (removed) return;

      // Until it is shown, what it says is not heard.
      const heard = { ...handlers, onMoved: () => current === opened && handlers.onMoved() };
      const opened = glMap(Map, below, plain.projection(), dark, heard);
      gl = opened;
      opened.whenDrawn(() => replacePlain(opened));
    }).catch(() => {
      // There is no WebGL 2 here, or no code came. Remove what MapLibre has begun.
      if (removed) return;
      below.replaceChildren();
      handlers.onPlain();
    });
  };

  let patience: ReturnType<typeof setTimeout> | undefined;
  const plain = plainMap(above, isDark, handlers, () => (patience = setTimeout(settle, carsWithin)));
  let current: Omit<BaseMap, "settled"> = plain;

  /** Shows MapLibre's map, once it shows what the reader has moved to meanwhile. */
  const replacePlain = (opened: GLMap) => {
    if (removed) return;
    const [want, have] = [plain.projection(), opened.projection()];
    const off = Math.hypot(want.x - have.x, want.y - have.y) * want.worldSize + Math.abs(Math.log2(want.worldSize / have.worldSize));
    if (off > 0.5) {
      opened.show(want);
      opened.whenDrawn(() => replacePlain(opened));
      return;
    }

    const focused = above.contains(document.activeElement);
    current = opened;
    below.inert = false;
    plain.remove();
    above.remove();
    if (focused) opened.focus();
    handlers.onMoved();
  };

  return {
    drawn: () => current.drawn(),
    projection: () => current.projection(),
    fit: (bounds, padding) => current.fit(bounds, padding),
    settled: settle,
    zoomBy: (levels) => current.zoomBy(levels),
    focus: () => current.focus(),

    setDark(now) {
      dark = now;
      if (current === plain) plain.setDark(now);
      gl?.setDark(now);
    },

    remove() {
      removed = true;
      somebody.stop();
      clearTimeout(patience);
      if (current === plain) plain.remove();
      gl?.remove();
      container.replaceChildren();
    },
  };
}

function layer(container: HTMLElement): HTMLElement {
  const el = container.appendChild(document.createElement("div"));
  Object.assign(el.style, { position: "absolute", inset: "0" });

  return el;
}
