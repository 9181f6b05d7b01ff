import { Anchor, Button, Paper, Stack, Text, Title } from "@mantine/core";
import { useCallback, useEffect, useMemo, useState } from "react";
import { distance, money, short, whole } from "../api/format";
import type { TextFrame } from "../api/socket";
import type { Ride, RideState } from "../api/types";
import { useLive } from "../api/use-live";
import { MapView } from "../map/map-view";
import { around } from "../map/projection";
import { placeName } from "../rider/place-field";
import { Header } from "../ui/header";
import { LinkBanner } from "../ui/link-banner";
import classes from "../ui/map-page.module.css";
import { ProblemNote } from "../ui/problem-note";
import { SignIn, useSession } from "../ui/sign-in";
import { usePadding } from "../ui/use-padding";
import { OfferCard } from "./offer-card";
import { useDriver, type Driving } from "./use-driver";

export default function DriverPage() {
  const session = useSession("driver");
  const driving = useDriver(session.subject);
  const { hear, state, trip } = driving;
  const [mine, setMine] = useState<number>();
  const onText = useCallback((text: TextFrame) => {
    if (text.type === "driver_state") hear(text.state);
    if (text.type === "vehicle") setMine(text.vehicle); // a driver is told no other's
  }, [hear]);
  const live = useLive(session.subject ? "driver" : "viewer", onText);
  const { followDriver } = live;
  useEffect(() => {
    if (session.subject) followDriver();
  }, [session.subject, followDriver]);

  const ride = state?.ride ?? state?.offer?.ride;
  const { pickup, dropoff } = ride ?? {};
  const scene = useMemo(() => ({ pickup, dropoff, route: trip?.route, mine, self: trip?.spot }), [pickup, dropoff, trip, mine]);
  const onRoad = trip !== undefined;
  const fit = useMemo(() => {
    const here = trip ? [trip.spot] : [];
    if (pickup && dropoff) return around([pickup, dropoff, ...here]);
    return onRoad && trip ? around([trip.spot]) : undefined;
    // Only when the ride changes or the driver goes on the road: not with every fix.
  }, [ride?.id, ride?.state, onRoad]);
  const padding = usePadding(false);

  return (
    <div className={classes.page}>
      <Header title="Driver" />
      <main className={classes.stage}>
        <MapView fleet={live.fleet} scene={scene} onView={live.look} fit={fit} padding={padding} />
        <LinkBanner live={live} />
        <div className={classes.dock}>
          <Paper className={classes.panel} shadow="md" p="md" component="section" aria-label="Your work">
            {session.subject ? (
              <Work driving={driving} />
            ) : (
              <SignIn session={session} title="Drive" action="Become a driver">
                One click makes you a driver of this demo. An autopilot drives your car; you choose which rides to take.
              </SignIn>
            )}
          </Paper>
        </div>
      </main>
    </div>
  );
}

function Work({ driving }: { driving: Driving }) {
  const { state, trip, error, busy, setDuty, answer } = driving;
  if (!state) return error ? <ProblemNote error={error} /> : <Text size="sm" c="dimmed">Looking up your duty…</Text>;
  const { offer, ride } = state;
  return (
    <Stack gap="sm">
      <div role="status">
        <Title order={2} size="h3" data-testid="duty" data-value={state.on_duty}>
          {ride ? doing[ride.state] : state.on_duty ? "Waiting for a ride" : "You are off duty"}
        </Title>
      </div>
      {offer && <OfferCard key={offer.id} offer={offer} busy={busy} onAnswer={(yes) => answer(offer.id, yes)} />}
      {ride && <Job ride={ride} />}
      {!ride && !offer && (
        <Text size="sm" c="dimmed">
          {state.on_duty ? (
            <>
              A ride is offered to the driver who is there soonest. To ask for one yourself, take the one-minute trip{" "}
              <Anchor href="/rider" target="_blank" inherit underline="always">as a rider, in another tab</Anchor>.
            </>
          ) : (
            "Go online in the centre, and rides nearby are offered to you."
          )}
        </Text>
      )}
      {trip && (
        <Text size="xs" c="dimmed">
          <span data-testid="points-sent" data-value={trip.sent}>{whole(trip.sent)}</span> points on the stream, one a second
        </Text>
      )}
      <ProblemNote error={error ?? trip?.error} />
      {!ride && !offer && (
        <Button size="md" variant={state.on_duty ? "default" : "filled"} loading={busy} onClick={() => setDuty(!state.on_duty)} data-testid="duty-switch">
          {state.on_duty ? "Go off duty" : "Go online"}
        </Button>
      )}
    </Stack>
  );
}

const doing: Partial<Record<RideState, string>> = {
  assigned: "Driving to the pick-up",
  arrived: "At the pick-up",
  picked_up: "Driving the rider",
};

function Job({ ride }: { ride: Ride }) {
  return (
    <div>
      <Text size="sm">{placeName(ride.pickup)} <Text span inherit c="dimmed">to</Text> {placeName(ride.dropoff)}</Text>
      <Text size="sm" c="dimmed">
        {distance(ride.distance_m)}, {money(ride.price)} · ride <span data-testid="ride-id" data-value={ride.id}>{short(ride.id)}</span>
      </Text>
    </div>
  );
}
