import { Button, Divider, Group, Stack, Text, Title } from "@mantine/core";
import { useEffect, useMemo, useState } from "react";
import { rider } from "../api/client";
import { distance, minutes, money } from "../api/format";
import type { Place, Quote, Ride } from "../api/types";
import { ProblemNote } from "../ui/problem-note";
import { PlaceField } from "./place-field";

export interface Draft {
  pickup: Place | undefined;
  dropoff: Place | undefined;
}

export type End = keyof Draft;

/** A trip of a minute, for who wants to see one quickly. */
export const shortTrip = {
  pickup: { lat: -34.9066, lon: -56.1997, label: "Plaza Independencia" },
  dropoff: { lat: -34.9053, lon: -56.1917, label: "Plaza Fabini" },
} satisfies Draft;

interface Props {
  draft: Draft;
  active: End;
  onDraft: (draft: Draft) => void;
  onActive: (end: End) => void;
  onBooked: (ride: Ride) => void;
}

export function BookingPanel({ draft, active, onDraft, onActive, onBooked }: Props) {
  const { pickup, dropoff } = draft;
  const [quote, setQuote] = useState<Quote>();
  const [error, setError] = useState<unknown>();
  const [tries, setTries] = useState(0);
  const [booking, setBooking] = useState(false);
  // One key for every try of one booking: what was booked is not booked twice.
  const key = useMemo(() => crypto.randomUUID(), [pickup, dropoff]);

  useEffect(() => {
    setQuote(undefined);
    setError(undefined);
    if (!pickup || !dropoff) return;
    let gone = false;
    rider.quote(pickup, dropoff).then(
      (q) => !gone && setQuote(q),
      (e: unknown) => !gone && setError(e),
    );
    return () => {
      gone = true;
    };
  }, [pickup, dropoff, tries]);

  const book = (from: Place, to: Place) => {
    setBooking(true);
    setError(undefined);
    rider
      .book(key, from, to)
      .then(onBooked)
      .catch((e: unknown) => {
        setError(e);
        setBooking(false);
      });
  };

  return (
    <Stack gap="sm">
      <Title order={2} size="h3">Where to?</Title>
      <PlaceField
        label="Pick-up" testid="pickup" place={pickup} active={active === "pickup"}
        onPlace={(p) => onDraft({ ...draft, pickup: p })} onFocus={() => onActive("pickup")}
      />
      <PlaceField
        label="Drop-off" testid="dropoff" place={dropoff} active={active === "dropoff"}
        onPlace={(p) => onDraft({ ...draft, dropoff: p })} onFocus={() => onActive("dropoff")}
      />
      <ProblemNote error={error} {...(quote ? {} : { again: () => setTries(tries + 1) })} />
      {quote && (
        <Group justify="space-between" align="baseline" data-testid="quote">
          <Text size="sm" c="dimmed">{distance(quote.distance_m)}, about {minutes(quote.duration_s)}{quote.direct && ", by air: no streets are known there"}</Text>
          <Text fw={650} fz="lg" data-testid="quote-price" data-value={quote.price.amount_minor}>{money(quote.price)}</Text>
        </Group>
      )}
      <Button
        size="md" data-testid="book" loading={booking} disabled={!quote || !pickup || !dropoff}
        onClick={() => pickup && dropoff && book(pickup, dropoff)}
      >
        {quote ? "Book this ride" : pickup && dropoff && !error ? "Working out the price…" : "Choose both ends"}
      </Button>
      {!pickup && !dropoff && (
        <>
          <Divider label="or" labelPosition="center" />
          <Button variant="light" size="md" data-testid="short-trip" onClick={() => onDraft(shortTrip)}>Take the one-minute trip</Button>
          <Text size="xs" c="dimmed">From Plaza Independencia, a few blocks up 18 de Julio: booked, driven and paid while you watch.</Text>
        </>
      )}
    </Stack>
  );
}
