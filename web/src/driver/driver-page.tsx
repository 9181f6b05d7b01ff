import { Anchor, Button, Stack, Text, Title } from "@mantine/core";
import { useCallback, useEffect, useMemo, useState } from "react";
import { driver } from "../api/client";
import { short, whole } from "../api/format";
import type { TextFrame } from "../api/socket";
import type { RideState } from "../api/types";
import { useLive } from "../api/use-live";
import { around } from "../map/projection";
import { MapPage } from "../ui/map-page";
import { ProblemNote } from "../ui/problem-note";
import { SignIn, useSession } from "../ui/sign-in";
import { Stale } from "../ui/stale";
import { OfferCard } from "./offer-card";
import { RideSummary } from "./ride-summary";
import { useDriver, type DriverView } from "./use-driver";

export default function DriverPage() {
  const session = useSession("driver");
  const view = useDriver(session.subject);
  const { setState, state, trip } = view;

  // Positions come under pseudonyms. The server tells a driver its own vehicle's
  // number, and no other's.
  const [ownVehicle, setOwnVehicle] = useState<number>();
  const onText = useCallback((text: TextFrame) => {
    if (text.type === "driver_state") setState(text.state);
    if (text.type === "vehicle") setOwnVehicle(text.vehicle);
  }, [setState]);
  const live = useLive(session.subject ? "driver" : "viewer", onText);
  const { followDriver } = live;
  useEffect(() => {
    if (session.subject) followDriver();
  }, [session.subject, followDriver]);

  const ride = state?.ride ?? state?.offer?.ride;
  const { pickup, dropoff } = ride ?? {};
  const scene = useMemo(
    () => ({ pickup, dropoff, route: trip?.route, highlighted: ownVehicle, self: trip?.position }),
    [pickup, dropoff, trip, ownVehicle],
  );

  const onRoad = trip !== undefined;
  const fit = useMemo(() => {
    const here = trip ? [trip.position] : [];
    if (pickup && dropoff) return around([pickup, dropoff, ...here]);

    return trip ? around(here) : undefined;
    // Only when the ride changes or the driver starts to drive. With every fix the
    // map would move back each second while the driver looks elsewhere.
  }, [ride?.id, ride?.state, onRoad]);

  // A driver who has gone must not be offered rides. The server refuses to end the
  // duty of one who has a ride, and finds out by itself that the car has vanished.
  const leave = session.signOut;
  const signOut = leave && (() => void driver.setDuty(false).catch(() => undefined).then(leave));

  return (
    <MapPage
      title="Drive" session={session} onSignOut={signOut} live={live} scene={scene} fit={fit} panelLabel="Your work"
    >
      {session.subject ? (
        <DutyPanel view={view} />
      ) : (
        <SignIn session={session} title="Drive" action="Become a driver">
          One click makes you a driver of this demo. An autopilot drives your car; you choose which rides to take.
        </SignIn>
      )}
    </MapPage>
  );
}

const rideTitles: Partial<Record<RideState, string>> = {
  assigned: "Driving to the pick-up",
  arrived: "At the pick-up",
  picked_up: "Driving the rider",
};

function DutyPanel({ view }: { view: DriverView }) {
  const { state, at, trip, error, busy, setDuty, answerOffer } = view;
  if (!state) return error ? <ProblemNote error={error} retried /> : <Text size="sm" c="dimmed">Loading your duty…</Text>;

  const { on_duty: onDuty, offer, ride } = state;
  const idle = !ride && !offer; // the server refuses to change the duty of a driver who has either

  return (
    <Stack gap="sm">
      <div role="status">
        <Title order={2} size="h3" data-testid="duty" data-value={onDuty}>
          <Stale at={at} of={ride ? rideTitles[ride.state] : onDuty ? "Waiting for a ride" : "You are off duty"} since>{String}</Stale>
        </Title>
      </div>

      {offer && <OfferCard key={offer.id} offer={offer} busy={busy} onAnswer={(accept) => answerOffer(offer.id, accept)} />}
      {ride && (
        <RideSummary ride={ride}> · ride <span data-testid="ride-id" data-value={ride.id}>{short(ride.id)}</span></RideSummary>
      )}
      {idle && <IdleHint onDuty={onDuty} />}

      {trip && (
        <Text size="xs" c="dimmed">
          <span data-testid="points-sent" data-value={trip.sent}><Stale at={trip.sentAt} of={trip.sent} since>{whole}</Stale></span> points are on the stream.
          Your car sends one each second{trip.unsent > 1 && `; ${whole(trip.unsent)} wait to be sent`}
          {trip.refused > 0 && `; ${whole(trip.refused)} were refused`}.
        </Text>
      )}
      <ProblemNote error={error} />
      <ProblemNote error={trip?.error} retried={trip?.retried === true} />

      {idle && (
        <Button size="md" variant={onDuty ? "default" : "filled"} loading={busy} onClick={() => setDuty(!onDuty)} data-testid="duty-switch">
          {onDuty ? "Go off duty" : "Go on duty"}
        </Button>
      )}
    </Stack>
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
