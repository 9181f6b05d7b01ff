import { Group, Stack, Text, Title } from "@mantine/core";
import { distance, placeName, short } from "../api/format";
import type { Ride, RideState } from "../api/types";
import { TripEnds } from "../rider/trip-ends";
import { Stale } from "../ui/stale";
import type { Trip } from "./autopilot";
import classes from "./ride-now.module.css";

const titles: Partial<Record<RideState, string>> = {
  assigned: "Drive to your rider",
  arrived: "Your rider gets in",
  picked_up: "Drive to the drop-off",
};

const stages: [RideState, string][] = [["assigned", "Coming"], ["arrived", "Here"], ["picked_up", "Driving"]];

/** The ride that this driver has: what is next, how long that takes, and where it goes. */
export function RideNow({ ride, at, trip }: { ride: Ride; at: number | undefined; trip: Trip | undefined }) {
  const left = ride.state === "arrived" ? undefined : trip?.left;
  const to = ride.state === "picked_up" ? ride.dropoff : ride.pickup;

  return (
    <Stack gap="md">
      <div>
        <div role="status">
          <Title order={2} size="h5" fw={450} data-testid="duty" data-value="true"><Stale at={at} of={titles[ride.state]} since>{String}</Stale></Title>
        </div>
        <Text fz="xl" fw={640} lh="xl" lts="-0.024em" data-testid="time-left" data-value={left && Math.round(left.seconds)}>
          {left ? time(left.seconds) : ride.state === "arrived" ? "You are there" : "…"}
        </Text>
        <Text size="sm" c="dimmed">{left ? `${distance(left.metres)} to ${placeName(to)}` : placeName(to)}</Text>
      </div>

      <Stages state={ride.state} />
      <TripEnds ride={ride} />
      <Text size="xs" c="dimmed">
        Ride <span data-testid="ride-id" data-value={ride.id}>{short(ride.id)}</span>
      </Text>
    </Stack>
  );
}

// Steps of five seconds: a number that jumps each second claims too much.
const time = (seconds: number) => (seconds < 5 ? "Now" : seconds < 90 ? `${Math.ceil(seconds / 5) * 5} s` : `${Math.round(seconds / 60)} min`);

function Stages({ state }: { state: RideState }) {
  const now = stages.findIndex(([s]) => s === state);

  return (
    <Group component="ol" gap="xs" wrap="nowrap" className={classes.stages} aria-label="How far the ride is">
      {stages.map(([s, name], i) => (
        <Text key={s} component="li" size="xs" flex={1} data-reached={i <= now || undefined} aria-current={i === now ? "step" : undefined}>{name}</Text>
      ))}
    </Group>
  );
}
