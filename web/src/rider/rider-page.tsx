import { Stack } from "@mantine/core";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { Problem, rider } from "../api/client";
import type { TextFrame } from "../api/socket";
import type { Place, Route } from "../api/types";
import { useLive } from "../api/use-live";
import { around, type LatLon } from "../map/projection";
import { MapPage } from "../ui/map-page";
import { ProblemNote } from "../ui/problem-note";
import { SignIn, useSession } from "../ui/sign-in";
import { writeAddress } from "./address";
import { BookingPanel, type Draft, type End } from "./booking-panel";
import { RideList } from "./ride-list";
import { RidePanel } from "./ride-panel";
import { Trace } from "./trace";
import { queueMessages } from "./queue-steps";
import { useDriven } from "./use-driven";
import { useQueueLook } from "./use-queue-look";
import { useRemaining } from "./use-remaining";
import { hasEnded, useRide } from "./use-ride";

// Few riders end a worker: who does waits for the button's code.
const KillWorker = lazy(() => import("./kill-worker"));

const noDraft: Draft = { pickup: undefined, dropoff: undefined };

export default function RiderPage() {
  const session = useSession("rider");
  const view = useRide(session.subject);
  const { addEvent, showRide, ride } = view;

  // Positions come under pseudonyms. A socket that follows a ride is told its car's number.
  const [vehicles, setVehicles] = useState<Record<string, number>>({});
  const onText = useCallback((text: TextFrame) => {
    if (text.type === "ride_event") addEvent(text.event);
    if (text.type === "vehicle") setVehicles((old) => ({ ...old, [text.driver_id]: text.vehicle }));
  }, [addEvent]);
  const live = useLive(session.subject ? "rider" : "viewer", onText);
  const { fleet, followRide } = live;
  useEffect(() => {
    if (session.subject && ride?.id) followRide(ride.id);
  }, [session.subject, ride?.id, followRide]);

  const car = ride?.driver_id && !hasEnded(ride.state) ? vehicles[ride.driver_id] : undefined;
  const locateCar = useCallback(() => {
    const [shown, at] = car === undefined ? [] : [fleet.get(car, Date.now()), fleet.fixAt(car)];
    return shown && at !== undefined ? { ...shown, at } : undefined;
  }, [car, fleet]);
  const remaining = useRemaining(ride, locateCar);

  const driven = useDriven(ride);
  const message = queueMessages(view.events).at(-1);
  const messageId = message?.steps.findLast((s) => s.kind === "sent" && s.reached)?.id;
  const look = useQueueLook(ride?.id ?? "", messageId, ride !== undefined && !hasEnded(ride.state) && !message?.deleted);

  const [killed, setKilled] = useState<{ ride: string; pid: string }>();
  const killedHere = killed?.ride === ride?.id ? killed?.pid : undefined;
  const inFlight = ride !== undefined && !hasEnded(ride.state) && message !== undefined && message.tries.length > 0 && !message.deleted;

  const [draft, setDraft] = useState(noDraft);
  const [activeEnd, setActiveEnd] = useState<End>("pickup");
  const { pickup, dropoff } = ride ?? draft;
  const route = useRoute(session.subject ? pickup : undefined, dropoff);

  const scene = useMemo(
    () => ({ pickup, dropoff, route: route?.points as [number, number][] | undefined, highlighted: car }),
    [pickup, dropoff, route, car],
  );
  const fit = useMemo(() => {
    const coming = ride?.state === "assigned" ? locateCar() : undefined;

    return pickup && dropoff ? around(coming ? [pickup, dropoff, coming] : [pickup, dropoff]) : undefined;
    // Only when the trip or its car changes: the map stays still while the car moves.
  }, [pickup?.lat, pickup?.lon, dropoff?.lat, dropoff?.lon, ride?.state, car]);

  const pick = (at: LatLon) => {
    setActiveEnd(activeEnd === "pickup" ? "dropoff" : "pickup");

    // A place without an address is still a place: its coordinates are its name.
    const setEnd = (place: Place) => setDraft((d) => ({ ...d, [activeEnd]: place }));
    rider.nearestPlace(at).then((p) => setEnd({ ...at, label: p.label ?? "" }), () => setEnd({ ...at, label: "" }));
  };
  const bookAnother = () => {
    showRide(undefined);
    writeAddress(undefined);
    setDraft(noDraft);
    setActiveEnd("pickup");
  };

  return (
    <MapPage
      title="Book a ride" session={session} live={live} scene={scene} fit={fit} onPick={session.subject && !ride ? pick : undefined}
      panelLabel="Your ride" footer={ride && (
        <Trace
          key={ride.id} ride={ride} at={view.at} events={view.events} look={look} driven={driven} killed={killedHere}
          act={inFlight && <Suspense><KillWorker ride={ride} killed={killedHere} onKilled={(pid) => setKilled({ ride: ride.id, pid })} /></Suspense>}
        />
      )}
    >
      {!session.subject ? (
        <SignIn session={session} title="Book a ride" action="Become a rider">
          One click makes you a rider of this demo. There is nothing to fill in, and nobody is charged.
        </SignIn>
      ) : ride ? (
        <RidePanel ride={ride} at={view.at} remaining={remaining} onChanged={showRide} onAnother={bookAnother} />
      ) : (
        <Stack gap="md">
          <BookingPanel draft={draft} activeEnd={activeEnd} onDraft={setDraft} onActiveEnd={setActiveEnd} onBooked={showRide} />
          <RideList onRide={showRide} />
        </Stack>
      )}
      <ProblemNote error={view.error} retried={view.error instanceof Problem && view.error.temporary} />
    </MapPage>
  );
}

function useRoute(from: Place | undefined, to: Place | undefined): Route | undefined {
  const [route, setRoute] = useState<Route>();

  useEffect(() => {
    setRoute(undefined);
    if (!from || !to) return;

    // An answer that comes after another end was chosen is of another trip. An error
    // is not shown: without the line on the map one can book all the same.
    let outdated = false;
    rider.route(from, to).then((answer) => !outdated && setRoute(answer), () => undefined);

    return () => {
      outdated = true;
    };
  }, [from?.lat, from?.lon, to?.lat, to?.lon]);

  return route;
}
