import { useEffect, useState } from "react";
import { useAge } from "../ui/stale";
import { leftOf, type Countdown } from "./countdown";
import classes from "./offer-card.module.css";

const tick = 200; // ms; the ring moves evenly from one to the next
const radius = 34;
const around = 2 * Math.PI * radius;

/** Now, in steps. It stands still while nobody answers, and in a hidden tab. */
export function useNow(moving: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!moving) return;

    const timer = setInterval(() => document.hidden || setNow(Date.now()), tick);
    return () => clearInterval(timer);
  }, [moving]);

  return now;
}

/** The time to answer, as a ring that empties evenly. Stale it stops: the offer may be gone. */
export function Ring({ countdown, now, at }: { countdown: Countdown; now: number; at: number | undefined }) {
  const stale = useAge(at) === "stale";
  const seconds = Math.ceil(Math.max(0, countdown.ends - now) / 1000);

  return (
    <div className={classes.ring} data-stale={stale || undefined} role="timer" aria-label={`${seconds} s left to answer`} data-testid="offer-left" data-value={seconds}>
      <svg width="76" height="76" viewBox="0 0 76 76" aria-hidden>
        <circle cx="38" cy="38" r={radius} className={classes.track} />
        <circle cx="38" cy="38" r={radius} className={classes.left} strokeDasharray={around} strokeDashoffset={around * (1 - leftOf(countdown, now + tick))} />
      </svg>
      <span aria-hidden>{seconds}</span>
    </div>
  );
}
