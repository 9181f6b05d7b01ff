import { Alert, Button, Divider, Group, Stack, Text, Title } from "@mantine/core";
import { useEffect, useRef, useState, type Dispatch, type SetStateAction } from "react";
import { Problem } from "../api/client";
import { distance, minutes, money } from "../api/format";
import type { Place, Quote, Ride } from "../api/types";
import { ProblemNote } from "../ui/problem-note";
import { useAge } from "../ui/stale";
import { PlaceField } from "./place-field";
import { slowTrip } from "./slow-trip";
import { useBooking, type Booking } from "./use-booking";
import { useQuote } from "./use-quote";

export interface Draft {
  pickup: Place | undefined;
  dropoff: Place | undefined;
}

export type End = keyof Draft;

/** A trip of about a minute, for readers who want to see one quickly. */
export const shortTrip = {
  pickup: { lat: -34.9066, lon: -56.1997, label: "Plaza Independencia" },
  dropoff: { lat: -34.9053, lon: -56.1917, label: "Plaza Cagancha" },
} satisfies Draft;

interface Props {
  draft: Draft;
  activeEnd: End; // the one that a click on the map sets
  onDraft: Dispatch<SetStateAction<Draft>>; // an answer may come when the other end has changed
  onActiveEnd: (end: End) => void;
  onBooked: (ride: Ride) => void;
  ready: boolean; // the page has just opened for booking: whoever has a keyboard may type at once
}

export default function BookingPanel({ draft, activeEnd, onDraft, onActiveEnd, onBooked, ready }: Props) {
  const { pickup, dropoff } = draft;
  const { quote, error: quoteError, retry } = useQuote(pickup, dropoff);
  const booking = useBooking(pickup, dropoff, onBooked);
  const { pickupField, dropoffField, bookButton, advance } = useNextControl(draft, quote !== undefined, ready);

  return (
    <Stack gap="sm">
      <Title order={2} size="h3">Where to?</Title>
      <PlaceField
        label="Pick-up" testid="pickup" place={pickup} active={activeEnd === "pickup"}
        onPlace={(p) => onDraft((d) => ({ ...d, pickup: p }))} onFocus={() => onActiveEnd("pickup")}
        onChosen={() => advance("pickup")} ref={pickupField}
      />
      <PlaceField
        label="Drop-off" testid="dropoff" place={dropoff} active={activeEnd === "dropoff"}
        onPlace={(p) => onDraft((d) => ({ ...d, dropoff: p }))} onFocus={() => onActiveEnd("dropoff")}
        onChosen={() => advance("dropoff")} ref={dropoffField}
      />

      <ProblemNote error={quoteError} onRetry={retry} />
      <ProblemNote error={booking.error} />
      {pickup && dropoff && !quoteError && <QuoteLine quote={quote} />}

      <Button
        ref={bookButton} size="md" data-testid="book" loading={booking.since !== undefined} disabled={!quote || !pickup || !dropoff}
        onClick={() => pickup && dropoff && booking.book(pickup, dropoff)}
      >
        {quote ? "Book this ride" : pickup && dropoff && !quoteError ? "Calculating the price…" : "Choose a pick-up and a drop-off"}
      </Button>

      <Waiting booking={booking} />

      {!pickup && !dropoff && (
        <>
          <Divider label="or" labelPosition="center" />
          <Button variant="default" data-testid="short-trip" onClick={() => onDraft(shortTrip)}>Take the one-minute trip</Button>
          <Button variant="subtle" data-testid="slow-trip" onClick={() => onDraft(slowTrip)}>Take a trip and kill its worker</Button>
          <Text size="xs" c="dimmed">
            Its driver thinks for 20 s: time to end the process that works for you, and to see that nothing is lost.
            The one-minute trip goes from Plaza Independencia a few blocks along 18 de Julio. You see it booked, driven and paid for while you watch.
          </Text>
        </>
      )}
    </Stack>
  );
}

/** Leads the keyboard's focus from the one end to the other, and to the button once there is a price. */
function useNextControl(draft: Draft, priced: boolean, ready: boolean) {
  const latest = useRef(draft);
  latest.current = draft;
  const pickupField = useRef<HTMLInputElement>(null);
  const dropoffField = useRef<HTMLInputElement>(null);
  const bookButton = useRef<HTMLButtonElement>(null);
  const [wanted, setWanted] = useState<"book">();

  // Not on a phone: its keyboard would cover the map before anybody has asked for it.
  useEffect(() => {
    if (ready && matchMedia("(pointer: fine) and (min-width: 48.01em)").matches) pickupField.current?.focus();
  }, [ready]);

  // The button has no focus to take before the price is there.
  useEffect(() => {
    if (wanted !== "book" || !priced) return;
    setWanted(undefined);
    bookButton.current?.focus();
  }, [wanted, priced]);

  const advance = (chosen: End) => {
    const { pickup, dropoff } = latest.current;
    const [other, place] = chosen === "pickup" ? [dropoffField, dropoff] : [pickupField, pickup];
    if (place) setWanted("book");
    else other.current?.focus();
  };

  return { pickupField, dropoffField, bookButton, advance };
}

/** What is known of a booking that is not answered. */
function Waiting({ booking: { since, failure, stop } }: { booking: Booking }) {
  const late = useAge(since) === "stale";
  if (since === undefined || (!late && !failure)) return null;

  return (
    <Alert role="status" data-testid="booking-waits">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">
          {failure instanceof Problem ? failure.detail : "Tandem has not answered yet."} Whether your ride is booked is not known.
          The page asks again by itself, with the same key: it is booked once, however often it is asked.
        </Text>
        <Button size="xs" variant="default" onClick={stop}>Stop asking</Button>
      </Stack>
    </Alert>
  );
}

/** The price. Its line is there before the answer, so that the button beneath it stays where it is. */
function QuoteLine({ quote }: { quote: Quote | undefined }) {
  if (!quote) return <Text fz="lg" aria-hidden>&nbsp;</Text>;

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
