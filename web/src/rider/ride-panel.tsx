import { Badge, Button, Group, Stack, Text, Timeline, Title } from "@mantine/core";
import { useState } from "react";
import { rider } from "../api/client";
import { clock, distance, minutes, money, placeName, short } from "../api/format";
import type { Message, Ride, RideState } from "../api/types";
import { usePoll } from "../api/use-poll";
import { ProblemNote } from "../ui/problem-note";
import { Since, Stale } from "../ui/stale";
import { describeRemaining, type Remaining } from "./use-remaining";
import { hasEnded } from "./use-ride";

const titles: Record<RideState, string> = {
  requested: "Looking for a driver",
  offered: "Asking a driver nearby",
  assigned: "Your driver is coming",
  arrived: "Your driver is here",
  picked_up: "On the way",
  completed: "You have arrived",
  cancelled: "Cancelled",
  unfulfilled: "No driver was found",
};

interface Props {
  ride: Ride;
  at: number | undefined; // when the ride was as it is here
  remaining: Remaining | undefined;
  onChanged: (ride: Ride) => void;
  onAnother: () => void;
}

export function RidePanel({ ride, at, remaining, onChanged, onAnother }: Props) {
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const ended = hasEnded(ride.state);

  const cancel = () => {
    setBusy(true);
    setError(undefined);

    // The server decides: a rider who was picked up meanwhile reads why it refuses.
    rider.cancel(ride.id).then(onChanged).catch(setError).finally(() => setBusy(false));
  };

  return (
    <Stack gap="sm">
      <div role="status">
        <Title order={2} size="h3" data-testid="ride-state" data-value={ride.state}>
          {ended ? titles[ride.state] : <Stale at={at} of={titles[ride.state]} since>{String}</Stale>}
        </Title>
        <Text size="xs" c="dimmed">Ride <span data-testid="ride-id" data-value={ride.id} title={ride.id}>{short(ride.id)}</span></Text>
      </div>

      {remaining && (
        <Text size="sm" data-testid="remaining" data-value={Math.round(remaining.metres)}>
          <Stale at={remaining.at} of={remaining} since>{describeRemaining}</Stale>
        </Text>
      )}
      {ride.vehicle && !ended && <Car ride={ride} />}
      {ride.state === "completed" ? <Receipt ride={ride} /> : ride.end_reason && <Text size="sm">Reason: {ride.end_reason}</Text>}
      <Steps ride={ride} />
      <ProblemNote error={error} />

      {ended ? (
        <Button key="another" size="md" onClick={onAnother} data-testid="another">Book another ride</Button>
      ) : (
        ride.state !== "picked_up" && <Button key="cancel" variant="default" loading={busy} onClick={cancel} data-testid="cancel">Cancel this ride</Button>
      )}
      <Inbox rideId={ride.id} />
    </Stack>
  );
}

function Car({ ride }: { ride: Ride }) {
  return (
    <Group justify="space-between" wrap="nowrap">
      <Text size="sm">{ride.vehicle?.colour} {ride.vehicle?.model}</Text>
      <Badge variant="default" size="lg" radius="sm" data-testid="plate">{ride.vehicle?.plate}</Badge>
    </Group>
  );
}

function Receipt({ ride }: { ride: Ride }) {
  const took = ride.picked_up_at && ride.ended_at ? (Date.parse(ride.ended_at) - Date.parse(ride.picked_up_at)) / 1000 : 0;

  return (
    <Stack gap={2} data-testid="receipt">
      <Text fz="xl" fw={640} lh="xl" lts="-0.024em" data-testid="price" data-value={ride.price.amount_minor}>{money(ride.price)}</Text>
      <Text size="sm" c="dimmed">
        <span data-testid="distance" data-value={ride.distance_m}>{distance(ride.distance_m)}</span>, {minutes(ride.duration_s)} at the streets' usual speed
        {took > 0 && `, ${Math.round(took)} s in this demo`}
      </Text>
    </Stack>
  );
}

function Steps({ ride }: { ride: Ride }) {
  const steps: [string, string | undefined, string][] = [
    ["Requested", ride.requested_at, ""],
    ["Driver accepted", ride.assigned_at, ""],
    ["At the pick-up", ride.arrived_at, placeName(ride.pickup)],
    ["Picked up", ride.picked_up_at, ""],
    ["Arrived", ride.state === "completed" ? ride.ended_at : undefined, placeName(ride.dropoff)],
  ];
  const reached = steps.findLastIndex(([, at]) => at !== undefined);

  return (
    <Timeline active={reached} bulletSize={14} lineWidth={2} aria-label="The ride so far">
      {steps.map(([name, at, where]) => (
        <Timeline.Item key={name} mt="xs">
          <Group justify="space-between" wrap="nowrap" gap="xs" mt={-3}>
            <Text size="sm" c={at ? undefined : "dimmed"}>{name}{where && <Text span inherit c="dimmed"> · {where}</Text>}</Text>
            <Text size="xs" c="dimmed">{at ? clock(at) : ""}</Text>
          </Group>
        </Timeline.Item>
      ))}
    </Timeline>
  );
}

const inboxInterval = 2000; // ms

function Inbox({ rideId }: { rideId: string }) {
  const inbox = usePoll(rider.inbox, inboxInterval);
  const mine = (inbox.data?.messages ?? []).filter((m: Message) => m.ride_id === rideId);
  if (mine.length === 0) return null;

  return (
    <Stack gap={4} component="section" aria-label="Messages" data-testid="inbox">
      <Text size="sm" fw={600}>Messages <Since at={inbox.askedAt} /></Text>
      {mine.map((m) => (
        <Group key={m.id} justify="space-between" wrap="nowrap" gap="xs" align="baseline">
          <Text size="sm" data-testid="message">{m.text}</Text>
          <Text size="xs" c="dimmed">{clock(m.at)}</Text>
        </Group>
      ))}
    </Stack>
  );
}
