import { useEffect, useRef, type FocusEvent, type RefObject } from "react";

interface Handlers {
  onFocus: (e: FocusEvent<HTMLElement>) => void;
  onBlur: (e: FocusEvent<HTMLElement>) => void;
}

/**
 * Keeps the keyboard's focus in a part of the page whose content changes. When the
 * element that had it is gone, the focus goes to the heading of what has come
 * instead; when the element was only disabled for a while, the focus comes back.
 */
export function useKeptFocus(part: RefObject<HTMLElement | null>): Handlers {
  const last = useRef<HTMLElement>(null);

  useEffect(() => {
    if (!part.current) return;

    const observer = new MutationObserver(() => {
      const el = last.current;
      if (!el || document.activeElement !== document.body) return;

      if (!el.isConnected) focusHeading(part.current);
      else if (!el.matches(":disabled")) el.focus({ preventScroll: true });
    });
    observer.observe(part.current, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"] });

    return () => observer.disconnect();
  }, [part]);

  // React tells of no blur when it removes an element itself, and one of a disabled
  // element is not the reader's: any other means that the reader has gone elsewhere.
  return {
    onFocus: (e) => (last.current = e.target),
    onBlur: (e) => {
      if (!e.target.matches(":disabled")) last.current = null;
    },
  };
}

function focusHeading(part: HTMLElement | null): void {
  const heading = part?.querySelector<HTMLElement>("h1, h2");
  if (!heading) return;

  heading.tabIndex = -1; // it takes the focus, but no tab stops there
  heading.focus();
}
