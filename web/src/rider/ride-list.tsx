import { Anchor, Group, Stack, Text } from "@mantine/core";
import type { MouseEvent } from "react";
import { rider } from "../api/client";
import { day, money, placeName } from "../api/format";
import type { Ride, RideState } from "../api/types";
import { usePoll } from "../api/use-poll";
import { ProblemNote } from "../ui/problem-note";
import { addressOf } from "./address";

const shown = 8;
const interval = 10_000; // ms

const underWay = "under way";
const states: Record<RideState, string> = {
  requested: underWay, offered: underWay, assigned: underWay, arrived: underWay, picked_up: underWay,
  completed: "completed", cancelled: "cancelled", unfulfilled: "no driver found",
};

/** The rider's last rides, each a link to its receipt. */
export function RideList({ onRide }: { onRide: (ride: Ride) => void }) {
  const list = usePoll(() => rider.rides(shown), interval);
  const rides = list.data?.rides ?? [];
  if (rides.length === 0) return <ProblemNote error={list.error} />;

  // A link, so that it opens in another tab as well; in this one the map stays.
  const follow = (e: MouseEvent, ride: Ride) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    onRide(ride);
  };

  return (
    <Stack gap={4} component="section" aria-label="Your rides" data-testid="rides">
      <Text size="sm" fw={600}>Your rides</Text>
      {rides.map((ride) => (
        <Anchor
          key={ride.id} href={addressOf(ride.id)} onClick={(e) => follow(e, ride)} underline="never" c="inherit" display="block" py={4}
          data-testid="ride-link" data-value={ride.id}
        >
          <Text size="sm">{placeName(ride.pickup)} <Text span inherit c="dimmed">to</Text> {placeName(ride.dropoff)}</Text>
          <Group justify="space-between" gap="xs">
            <Text size="xs" c="dimmed">{day(ride.requested_at)}, {states[ride.state]}</Text>
            <Text size="xs">{money(ride.price)}</Text>
          </Group>
        </Anchor>
      ))}
    </Stack>
  );
}
