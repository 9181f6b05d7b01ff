import { useEffect, useState } from "react";

const inputs = ["pointerdown", "pointermove", "wheel", "keydown", "touchstart", "scroll", "focusin"];

/** Whether nobody has done anything on the page for so many ms. A hidden tab is not idle: nobody would see it. */
export function useIdle(after: number): boolean {
  const [idle, setIdle] = useState(false);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wake = () => {
      setIdle(false);
      clearTimeout(timer);
      if (!document.hidden) timer = setTimeout(() => setIdle(true), after);
    };
    wake();

    for (const input of inputs) addEventListener(input, wake, { capture: true, passive: true });
    document.addEventListener("visibilitychange", wake);

    return () => {
      clearTimeout(timer);
      for (const input of inputs) removeEventListener(input, wake, { capture: true });
      document.removeEventListener("visibilitychange", wake);
    };
  }, [after]);

  return idle;
}
