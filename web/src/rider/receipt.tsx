import { Group, Stack, Text, Timeline } from "@mantine/core";
import { clock, distance, minutes, money } from "../api/format";
import type { Ride } from "../api/types";

/** What the ride has cost, and how long it took. */
export function Receipt({ ride }: { ride: Ride }) {
  const took = ride.picked_up_at && ride.ended_at ? (Date.parse(ride.ended_at) - Date.parse(ride.picked_up_at)) / 1000 : 0;

  return (
    <Stack gap={2} data-testid="receipt">
      <Text fz="xl" fw={640} lh="xl" lts="-0.024em" data-testid="price" data-value={ride.price.amount_minor}>{money(ride.price)}</Text>
      <Text size="sm" c="dimmed">
        <span data-testid="distance" data-value={ride.distance_m}>{distance(ride.distance_m)}</span>, {minutes(ride.duration_s)} at the streets' usual speed
        {took > 0 && `, ${Math.round(took)} s in this demo`}
      </Text>
      {ride.vehicle && <Text size="sm" c="dimmed">{ride.vehicle.colour} {ride.vehicle.model}, {ride.vehicle.plate}</Text>}
    </Stack>
  );
}

/** When each thing happened, as far as it did. */
export function Times({ ride }: { ride: Ride }) {
  const steps = [
    ["Requested", ride.requested_at],
    ["Driver accepted", ride.assigned_at],
    ["At the pick-up", ride.arrived_at],
    ["Picked up", ride.picked_up_at],
    [ride.state === "completed" ? "Arrived" : "Ended", ride.ended_at],
  ] as const;

  return (
    <Timeline active={steps.length} bulletSize={14} lineWidth={2} aria-label="The ride so far">
      {steps.filter(([, at]) => at !== undefined).map(([name, at]) => (
        <Timeline.Item key={name} mt="xs">
          <Group justify="space-between" wrap="nowrap" gap="xs" mt={-3}>
            <Text size="sm">{name}</Text>
            <Text size="xs" c="dimmed">{at && clock(at)}</Text>
          </Group>
        </Timeline.Item>
      ))}
    </Timeline>
  );
}
