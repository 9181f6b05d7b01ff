import { Anchor, Button, Stack, Switch, Text, Title } from "@mantine/core";
import { money, placeName, whole } from "../api/format";
import type { Ride } from "../api/types";
import { ProblemNote } from "../ui/problem-note";
import { Stale } from "../ui/stale";
import { maxUnsent, type Trip } from "./autopilot";
import { EarningsToday } from "./earnings";
import { OfferCard } from "./offer-card";
import { RideNow } from "./ride-now";
import type { DriverView } from "./use-driver";

interface Props {
  view: DriverView;
  away: number | undefined; // metres to the rider of the offer, along streets
}

/** A driver's work: on duty or off, the ride, and what it has brought. An offer lies on top. */
export function DutyPanel({ view, away }: Props) {
  const { state, at, trip, error, busy, autopilot, setAutopilot, setDuty, answerOffer, lastRide } = view;
  if (!state || at === undefined) return error ? <ProblemNote error={error} retried /> : <Text size="sm" c="dimmed">Asking for your duty…</Text>;

  const { on_duty: onDuty, offer, ride } = state;
  const idle = !ride && !offer; // the server refuses to change the duty of a driver who has either

  return (
    <Stack gap="md">
      {ride ? (
        <RideNow ride={ride} at={at} trip={trip} />
      ) : (
        <div>
          <div role="status">
            <Title order={2} size="h5" fw={450} data-testid="duty" data-value={onDuty}>
              <Stale at={at} of={offer ? "A ride is offered to you" : onDuty ? "Waiting for a ride" : "You are off duty"} since>{String}</Stale>
            </Title>
          </div>
          <EarningsToday />
        </div>
      )}
      {!ride && lastRide && <Earned ride={lastRide} />}
      {idle && (
        <Button size="md" variant={onDuty ? "outline" : "filled"} loading={busy} onClick={() => setDuty(!onDuty)} data-testid="duty-switch">
          {onDuty ? "Go off duty" : "Go on duty"}
        </Button>
      )}
      {idle && <IdleHint onDuty={onDuty} />}

      {onDuty && (
        <Switch
          label="The autopilot answers offers" description="It accepts each after 2 s. The car drives and reports by itself either way."
          checked={autopilot} onChange={(e) => setAutopilot(e.currentTarget.checked)} data-testid="autopilot"
        />
      )}
      {trip && <PointsLine trip={trip} />}
      <ProblemNote error={error} />
      <ProblemNote error={trip?.error} retried={trip?.retried === true} />

      {offer && (
        <OfferCard key={offer.id} offer={offer} at={at} away={away} autopilot={autopilot} busy={busy} onAnswer={(accept) => answerOffer(offer.id, accept)} />
      )}
    </Stack>
  );
}

/** What the last ride of this page has brought. */
function Earned({ ride }: { ride: Ride }) {
  return (
    <Text size="sm" data-testid="earned" data-value={ride.price.amount_minor}>
      ✓ {money(ride.price)} <Text span inherit c="dimmed">for {placeName(ride.pickup)} to {placeName(ride.dropoff)}</Text>
    </Text>
  );
}

/** How many points of the car are on the stream, and what became of the rest. */
export function PointsLine({ trip }: { trip: Trip }) {
  return (
    <Text size="xs" className="stream">
      <span data-testid="points-sent" data-value={trip.sent}><Stale at={trip.sentAt} of={trip.sent} since>{whole}</Stale></span> points of your car are on the stream,
      one more each second{trip.unsent > 1 && `; ${whole(trip.unsent)} wait to be sent`}
      {trip.refused > 0 && `; ${whole(trip.refused)} were refused`}.
      {trip.dropped > 0 && ` At most ${whole(maxUnsent)} can wait: the oldest were dropped, ${whole(trip.dropped)} so far.`}
    </Text>
  );
}

function IdleHint({ onDuty }: { onDuty: boolean }) {
  if (!onDuty) return <Text size="sm" c="dimmed">Go on duty, and rides near your car are offered to you.</Text>;

  return (
    <Text size="sm" c="dimmed">
      Each ride is offered first to the driver who can reach the rider soonest. To get one yourself, open another tab and{" "}
      <Anchor href="/rider" target="_blank" inherit underline="always">take the one-minute trip as a rider</Anchor>.
    </Text>
  );
}
