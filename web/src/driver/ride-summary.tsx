import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import { distance, money, placeName } from "../api/format";
import type { Ride } from "../api/types";

/** Where a ride goes, how far, and for how much. */
export function RideSummary({ ride, children }: { ride: Pick<Ride, "pickup" | "dropoff" | "distance_m" | "price">; children?: ReactNode }) {
  return (
    <div>
      <Text size="sm">{placeName(ride.pickup)} <Text span inherit c="dimmed">to</Text> {placeName(ride.dropoff)}</Text>
      <Text size="sm" c="dimmed">{distance(ride.distance_m)}, {money(ride.price)}{children}</Text>
    </div>
  );
}
