// What a person would see on a page, measured.
import type { Page } from "playwright-core";
import type { Bounds } from "../src/map/projection";

/** What a browser's console shows as errors: failed requests, refused scripts, exceptions. */
export function consoleErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on("console", (m) => m.type() === "error" && errors.push(`${m.text()} ${m.location().url}`));
  page.on("pageerror", (e) => errors.push(String(e)));

  return errors;
}

/** Where a finger can press that is smaller than 44 px, but for links within a sentence. */
export const smallTargets = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const targets = document.querySelectorAll<HTMLElement>('a[href], button, input, [role="menuitem"], [role="option"]');

    return [...targets]
      .filter((el) => el.checkVisibility({ visibilityProperty: true }))
      .filter((el) => getComputedStyle(el).display !== "inline")
      .map((el) => ({ el, box: el.getBoundingClientRect() }))
      .filter(({ box }) => box.width < 43.5 || box.height < 43.5)
      .map(({ el, box }) => `${Math.round(box.width)}x${Math.round(box.height)} ${el.outerHTML.slice(0, 120)}`);
  });

/** Waits until MapLibre's map has taken the plain one's place. */
export const mapLibreShown = (page: Page): Promise<void> => page.locator("[data-testid=base] > :only-child .maplibregl-canvas").waitFor({ timeout: 60_000 });

/** Texts that the page's edge, or the box around them, cuts off. What scrolls sideways by itself is no fault. */
export const clippedTexts = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const scrolls = (el: Element | null): boolean =>
      el !== null && (["auto", "scroll"].includes(getComputedStyle(el).overflowX) && el.scrollWidth > el.clientWidth ? true : scrolls(el.parentElement));
    const unseen = (el: Element | null): boolean => el !== null && (el.getBoundingClientRect().width <= 1 || unseen(el.parentElement));
    const words = [...document.body.querySelectorAll<HTMLElement>("*")].filter(
      (el) => [...el.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent?.trim()) && el.checkVisibility({ visibilityProperty: true }),
    );

    const cut = words.filter((el) => {
      const box = el.getBoundingClientRect();
      const hides = getComputedStyle(el).overflowX !== "visible" && el.scrollWidth > el.clientWidth + 1;
      if (unseen(el)) return false; // a text for who hears the page
      return ((box.left < -0.5 || box.right > innerWidth + 0.5) && !scrolls(el.parentElement)) || hides;
    });
    const page = document.documentElement.scrollWidth > innerWidth ? [`the page is ${document.documentElement.scrollWidth} px wide`] : [];

    return [...page, ...cut.map((el) => `${el.tagName} ${el.textContent?.slice(0, 60)}`)];
  });

/** The view that the page tells the server, by its socket: where its map is. */
export function viewOf(page: Page): () => Bounds | undefined {
  let view: Bounds | undefined;
  page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => {
      const message = typeof payload === "string" ? (JSON.parse(payload) as { type: string } & Bounds) : undefined;
      if (message?.type === "view") view = message;
    }),
  );

  return () => view;
}

/** The colours of some pixels of what the screen shows, as #rrggbb. */
export async function coloursAt(page: Page, pixels: { x: number; y: number }[]): Promise<string[]> {
  const png = (await page.screenshot()).toString("base64");

  return page.evaluate(
    async ({ png, pixels }) => {
      // Without fetch: the content security policy allows no data: URL there.
      const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0));
      const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
      canvas?.drawImage(picture, 0, 0);

      return pixels.map(({ x, y }) => {
        const [r = 0, g = 0, b = 0] = canvas?.getImageData(Math.round(x), Math.round(y), 1, 1).data ?? [];
        return `#${[r, g, b].map((v) => v.toString(16).padStart(2, "0")).join("")}`;
      });
    },
    { png, pixels },
  );
}
