import { Group, Stack, Text, VisuallyHidden } from "@mantine/core";
import { placeName } from "../api/format";
import type { Ride } from "../api/types";

/** Where a ride begins and ends, with the marks that the map has there. */
export function TripEnds({ ride }: { ride: Pick<Ride, "pickup" | "dropoff"> }) {
  return (
    <Stack gap="xs">
      <Group gap="sm" wrap="nowrap"><Ringed /><Text size="sm"><VisuallyHidden>From </VisuallyHidden>{placeName(ride.pickup)}</Text></Group>
      <Group gap="sm" wrap="nowrap"><Square /><Text size="sm"><VisuallyHidden>to </VisuallyHidden>{placeName(ride.dropoff)}</Text></Group>
    </Stack>
  );
}

const mark = { width: 16, height: 16, viewBox: "0 0 16 16", "aria-hidden": true, style: { flex: "none" } } as const;
const Ringed = () => <svg {...mark}><circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" strokeWidth="4" /></svg>;
const Square = () => <svg {...mark}><rect x="2.5" y="2.5" width="11" height="11" fill="currentColor" /></svg>;
