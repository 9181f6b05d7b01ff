import { useEffect, useRef, useState } from "react";

const stageTime = 600; // ms, as --travel of the style sheets
const news = 5_000; // ms after which something is no news: it is shown where it is

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches || document.hidden;

/**
 * The stage at which a message is drawn. It moves from stage to stage, each as long as
 * an eye needs, although the message itself may have passed three of them in 20 ms.
 */
export function useTravel(stage: number, happenedAt: number): number {
  const [drawn, setDrawn] = useState(stage);
  const movedAt = useRef(0);

  useEffect(() => {
    if (drawn === stage) return;
    if (stage < drawn || still() || Date.now() - happenedAt > news) {
      setDrawn(stage);
      return;
    }

    const timer = setTimeout(() => {
      movedAt.current = Date.now();
      setDrawn(drawn + 1);
    }, Math.max(0, movedAt.current + stageTime - Date.now()));

    return () => clearTimeout(timer);
  }, [drawn, stage, happenedAt]);

  return drawn;
}
