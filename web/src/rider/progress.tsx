import type { CSSProperties } from "react";
import type { RideState } from "../api/types";
import classes from "./progress.module.css";

const phases = ["Asked", "Found", "Coming", "Here", "There"] as const;

/** How many phases are over, and which one is now. */
const reached: Record<RideState, { over: number; now: number | undefined }> = {
  requested: { over: 1, now: 0 },
  offered: { over: 1, now: 0 },
  assigned: { over: 2, now: 2 },
  arrived: { over: 4, now: 3 },
  picked_up: { over: 4, now: 4 },
  completed: { over: 5, now: undefined },
  cancelled: { over: 1, now: undefined },
  unfulfilled: { over: 1, now: undefined },
};

interface Props {
  state: RideState;
  part: number | undefined; // of the phase that is now, 0 to 1; undefined: not known
}

/** The ride from asked to there. Of the part that is driven now, as much is filled as the car's own points tell. */
export function Progress({ state, part }: Props) {
  const { over, now } = reached[state];

  return (
    <ol className={classes.phases} aria-label="The ride">
      {phases.map((name, i) => {
        const filled = i < over ? 1 : i === now ? (part ?? 0) : 0;

        return (
          <li key={name} aria-current={i === now ? "step" : undefined} style={{ "--part": filled } as CSSProperties} data-testid={`phase-${name.toLowerCase()}`} data-value={filled.toFixed(2)}>
            {name}
          </li>
        );
      })}
    </ol>
  );
}
