import { Button, Group, Progress, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { minutes } from "../api/format";
import type { DriverState } from "../api/types";
import { RideSummary } from "./ride-summary";

type Offer = NonNullable<DriverState["offer"]>;

interface Props {
  offer: Offer;
  busy: boolean;
  onAnswer: (accept: boolean) => void;
}

const tickInterval = 250; // ms

/** A ride that is offered to this driver alone, until the time to answer has passed. */
export function OfferCard({ offer, busy, onAnswer }: Props) {
  const expiresAt = Date.parse(offer.expires_at);
  const [now, setNow] = useState(Date.now());

  // The whole time to answer is measured once, when the card appears.
  const [total] = useState(() => Math.max(expiresAt - Date.now(), 1));
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), tickInterval);
    return () => clearInterval(timer);
  }, []);

  // The server decides whether an answer is in time. The buttons only follow.
  const left = Math.max(0, expiresAt - now);
  const disabled = busy || left === 0;

  return (
    <Stack gap="xs" data-testid="offer" data-value={offer.id}>
      <Group justify="space-between" align="baseline">
        <Text fw={650} fz="lg">A ride for you</Text>
        <Text size="sm" c="dimmed" role="timer">{Math.ceil(left / 1000)} s left to answer</Text>
      </Group>
      <Progress value={(left / total) * 100} size="sm" aria-label="Time left to answer" />

      <RideSummary ride={offer.ride}>, {minutes(offer.ride.duration_s)}</RideSummary>

      <Group grow>
        <Button disabled={disabled} onClick={() => onAnswer(true)} data-testid="accept">Accept</Button>
        <Button variant="default" disabled={disabled} onClick={() => onAnswer(false)} data-testid="refuse">Refuse</Button>
      </Group>
    </Stack>
  );
}
