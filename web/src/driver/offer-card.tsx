import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { useLayoutEffect, useRef, useState } from "react";
import { distance } from "../api/format";
import { TripEnds } from "../rider/trip-ends";
import { Since, useAge } from "../ui/stale";
import { BigMoney } from "./big-money";
import { countdownOf, type Offer } from "./countdown";
import classes from "./offer-card.module.css";
import { Ring, useNow } from "./ring";

interface Props {
  offer: Offer;
  at: number; // when the offer was as it is here
  away: number | undefined; // metres to the rider, along streets
  autopilot: boolean; // it is about to answer
  busy: boolean;
  onAnswer: (accept: boolean) => void;
}

/** A ride that is offered to this driver alone, until the time to answer has passed. */
export function OfferCard({ offer, at, away, autopilot, busy, onAnswer }: Props) {
  const { ride } = offer;
  const [countdown] = useState(() => countdownOf(offer, at)); // the deadline stays what it is
  const now = useNow(useAge(at) !== "stale");
  const card = useTopLayer();

  // The server decides whether an answer is in time. The buttons only follow.
  const disabled = busy || now >= countdown.ends;

  return (
    <section ref={card} popover="manual" className={classes.card} aria-label="A ride for you" data-testid="offer" data-value={offer.id}>
      <Stack gap="md">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <div>
            <Title order={2} size="h5" fw={450}>A ride for you</Title>
            <Text fz="xl" fw={640} lh="xl" lts="-0.024em" data-testid="offer-price" data-value={ride.price.amount_minor}><BigMoney of={ride.price} /></Text>
          </div>
          <Ring countdown={countdown} now={now} at={at} />
        </Group>

        <Text size="sm" c="dimmed" mt="calc(var(--mantine-spacing-sm) * -1)">
          {away !== undefined && `${distance(away)} to the rider, then `}{distance(ride.distance_m)} <Since at={at} />
        </Text>
        <TripEnds ride={ride} />
        <Text size="xs" className={`queue ${classes.why}`}>One worker holds the ride's message until you answer; after that time it asks another driver.</Text>

        <Group gap="xs" wrap="nowrap" grow preventGrowOverflow={false}>
          <Button size="md" flex={2} disabled={disabled} onClick={() => onAnswer(true)} data-testid="accept" data-autofocus>
            {autopilot ? "The autopilot accepts…" : "Accept"}
          </Button>
          <Button size="md" flex={1} variant="outline" disabled={disabled} onClick={() => onAnswer(false)} data-testid="refuse">Refuse</Button>
        </Group>
      </Stack>
    </section>
  );
}

/** Puts an element above everything else, and gives it the focus unless somebody types. */
function useTopLayer() {
  const card = useRef<HTMLElement>(null);

  useLayoutEffect(() => {
    const typing = document.activeElement?.matches("input, textarea, [role=combobox]");

    // A modal dialog makes every button beside it dead, and an offer ends while it is open.
    document.querySelectorAll<HTMLDialogElement>("dialog[open]").forEach((d) => d.close());
    card.current?.showPopover?.(); // an old browser has no top layer: there it lies on the panel

    if (typing) return;
    card.current?.querySelector<HTMLElement>("[data-autofocus]")?.focus({ preventScroll: true });
  }, []);

  return card;
}
