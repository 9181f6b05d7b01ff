import { VisuallyHidden } from "@mantine/core";
import { distance, money, placeName } from "../api/format";
import type { Ride } from "../api/types";
import classes from "./ride-panel.module.css";

/** Where the trip begins and ends, by the signs of the map, and what it costs. */
export function TripEnds({ ride }: { ride: Ride }) {
  return (
    <dl className={classes.ends}>
      <dt>
        <VisuallyHidden>From</VisuallyHidden>
        <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden><circle cx="10" cy="10" r="5.5" fill="none" stroke="currentColor" strokeWidth="3" /></svg>
      </dt>
      <dd>{placeName(ride.pickup)}</dd>
      <dt>
        <VisuallyHidden>To</VisuallyHidden>
        <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden><rect x="4.5" y="4.5" width="11" height="11" fill="currentColor" /></svg>
      </dt>
      <dd>{placeName(ride.dropoff)}, {distance(ride.distance_m)}, {money(ride.price)}</dd>
    </dl>
  );
}
