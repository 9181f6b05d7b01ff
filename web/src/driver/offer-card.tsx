import { Button, Group, Progress, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { distance, minutes, money } from "../api/format";
import type { DriverState } from "../api/types";
import { placeName } from "../rider/place-field";

type Offer = NonNullable<DriverState["offer"]>;

interface Props {
  offer: Offer;
  busy: boolean;
  onAnswer: (yes: boolean) => void;
}

/** A ride offered to this driver alone, until its time is up. */
export function OfferCard({ offer, busy, onAnswer }: Props) {
  const until = Date.parse(offer.expires_at);
  const [now, setNow] = useState(Date.now());
  const [whole] = useState(() => Math.max(until - Date.now(), 1));
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const left = Math.max(0, until - now);
  const { ride } = offer;
  return (
    <Stack gap="xs" data-testid="offer" data-value={offer.id}>
      <Group justify="space-between" align="baseline">
        <Text fw={650} fz="lg">A ride for you</Text>
        <Text size="sm" c="dimmed" role="timer">{Math.ceil(left / 1000)} s to answer</Text>
      </Group>
      <Progress value={(left / whole) * 100} size="sm" aria-label="Time left to answer" />
      <Text size="sm">{placeName(ride.pickup)} <Text span inherit c="dimmed">to</Text> {placeName(ride.dropoff)}</Text>
      <Text size="sm" c="dimmed">{distance(ride.distance_m)}, {minutes(ride.duration_s)}, {money(ride.price)}</Text>
      <Group grow>
        <Button disabled={busy || left === 0} onClick={() => onAnswer(true)} data-testid="accept">Accept</Button>
        <Button variant="default" disabled={busy || left === 0} onClick={() => onAnswer(false)} data-testid="refuse">Refuse</Button>
      </Group>
    </Stack>
  );
}
