import { Text } from "@mantine/core";
import type { Ride } from "../api/types";
import { paintOf } from "../map/car";
import { paints } from "../tokens";
import classes from "./ride-panel.module.css";

/** The car to look for: its shape in its paint, its name, and its plate. */
export function CarLine({ vehicle }: { vehicle: NonNullable<Ride["vehicle"]> }) {
  const paint = paintOf(vehicle.colour);

  return (
    <div className={classes.car}>
      <svg width="26" height="50" viewBox="-13 -25 26 50" aria-hidden>
        <rect x="-9" y="-21" width="18" height="42" rx="7" fill={paint ?? "none"} className={classes.shape} data-unknown={!paint || undefined} />
        {paint && <path d="M-6.5-9Q0-13.5 6.5-9L5.5-2.5h-11z" fill={paints.glass} />}
        {paint && <rect x="-5.5" y="10" width="11" height="5" rx="1.5" fill={paints.glass} />}
      </svg>
      <div>
        <Text fw={600}>{vehicle.model}</Text>
        <Text c="dimmed">{vehicle.colour}</Text>
      </div>
      <span className={classes.plate} data-testid="plate">{vehicle.plate}</span>
    </div>
  );
}

/** The car's place before there is one: dashed, as what is not there yet. */
export function NoCarYet() {
  return (
    <div className={classes.car}>
      <svg width="26" height="50" viewBox="-13 -25 26 50" aria-hidden>
        <rect x="-9" y="-21" width="18" height="42" rx="7" fill="none" className={classes.shape} data-unknown />
      </svg>
      <Text c="dimmed">Your car, once a driver says yes</Text>
    </div>
  );
}
