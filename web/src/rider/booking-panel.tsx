import { Button, Divider, Group, Stack, Text, Title } from "@mantine/core";
import { useEffect, useMemo, useState } from "react";
import { rider } from "../api/client";
import { distance, minutes, money } from "../api/format";
import type { Place, Quote, Ride } from "../api/types";
import { ProblemNote } from "../ui/problem-note";
import { PlaceField } from "./place-field";
import { useQuote } from "./use-quote";

export interface Draft {
  pickup: Place | undefined;
  dropoff: Place | undefined;
}

export type End = keyof Draft;

/** A trip of about a minute, for readers who want to see one quickly. */
export const shortTrip = {
  pickup: { lat: -34.9066, lon: -56.1997, label: "Plaza Independencia" },
  dropoff: { lat: -34.9053, lon: -56.1917, label: "Plaza Fabini" },
} satisfies Draft;

interface Props {
  draft: Draft;
  activeEnd: End; // the one that a click on the map sets
  onDraft: (draft: Draft) => void;
  onActiveEnd: (end: End) => void;
  onBooked: (ride: Ride) => void;
}

export function BookingPanel({ draft, activeEnd, onDraft, onActiveEnd, onBooked }: Props) {
  const { pickup, dropoff } = draft;
  const { quote, error: quoteError, retry } = useQuote(pickup, dropoff);
  const [bookingError, setBookingError] = useState<unknown>();
  const [booking, setBooking] = useState(false);

  // One key for every try to book this trip: the server books it only once, also
  // when an answer is lost and the rider clicks again.
  const key = useMemo(() => crypto.randomUUID(), [pickup, dropoff]);
  useEffect(() => setBookingError(undefined), [pickup, dropoff]);

  const book = (from: Place, to: Place) => {
    setBooking(true);
    setBookingError(undefined);

    rider
      .book(key, from, to)
      .then(onBooked)
      .catch((e: unknown) => {
        setBookingError(e);
        setBooking(false);
      });
  };

  return (
    <Stack gap="sm">
      <Title order={2} size="h3">Where to?</Title>
      <PlaceField
        label="Pick-up" testid="pickup" place={pickup} active={activeEnd === "pickup"}
        onPlace={(p) => onDraft({ ...draft, pickup: p })} onFocus={() => onActiveEnd("pickup")}
      />
      <PlaceField
        label="Drop-off" testid="dropoff" place={dropoff} active={activeEnd === "dropoff"}
        onPlace={(p) => onDraft({ ...draft, dropoff: p })} onFocus={() => onActiveEnd("dropoff")}
      />

      <ProblemNote error={quoteError} onRetry={retry} />
      <ProblemNote error={bookingError} />
      {quote && <QuoteLine quote={quote} />}

      <Button
        size="md" data-testid="book" loading={booking} disabled={!quote || !pickup || !dropoff}
        onClick={() => pickup && dropoff && book(pickup, dropoff)}
      >
        {quote ? "Book this ride" : pickup && dropoff && !quoteError ? "Calculating the price…" : "Choose a pick-up and a drop-off"}
      </Button>

      {!pickup && !dropoff && (
        <>
          <Divider label="or" labelPosition="center" />
          <Button variant="light" size="md" data-testid="short-trip" onClick={() => onDraft(shortTrip)}>Take the one-minute trip</Button>
          <Text size="xs" c="dimmed">
            It goes from Plaza Independencia a few blocks along 18 de Julio. You see it booked, driven and paid for while you watch.
          </Text>
        </>
      )}
    </Stack>
  );
}

function QuoteLine({ quote }: { quote: Quote }) {
  return (
    <Group justify="space-between" align="baseline" data-testid="quote">
      <Text size="sm" c="dimmed">
        {distance(quote.distance_m)}, about {minutes(quote.duration_s)}
        {quote.direct && ", in a straight line because the map has no street there"}
      </Text>
      <Text fw={650} fz="lg" data-testid="quote-price" data-value={quote.price.amount_minor}>{money(quote.price)}</Text>
    </Group>
  );
}
