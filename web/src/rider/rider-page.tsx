import { Stack } from "@mantine/core";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Problem, rider } from "../api/client";
import type { TextFrame } from "../api/socket";
import { placeName } from "../api/format";
import type { Place, Route } from "../api/types";
import { useLive } from "../api/use-live";
import { around, type LatLon } from "../map/projection";
import { MapPage } from "../ui/map-page";
import { ProblemNote } from "../ui/problem-note";
import { SignIn, useSession } from "../ui/sign-in";
import { writeAddress } from "./address";
import type { Draft, End } from "./booking-panel";
import { RideList } from "./ride-list";
import { queueMessages } from "./queue-steps";
import { useDriven } from "./use-driven";
import { useFewestBefore, useQueueLook } from "./use-queue-look";
import { useRemaining } from "./use-remaining";
import { hasEnded, useRide } from "./use-ride";
import { waitingOf } from "./waiting";

// Who has not signed in needs none of these, and a ride's are fetched while the rider looks for a place.
const loadBooking = () => import("./booking-panel");
const loadPanel = () => import("./ride-panel");
const loadTrace = () => import("./trace");
const BookingPanel = lazy(loadBooking);
const RidePanel = lazy(loadPanel);
const Trace = lazy(loadTrace);

const noDraft: Draft = { pickup: undefined, dropoff: undefined };

export default function RiderPage() {
  const session = useSession("rider");
  const view = useRide(session.subject);
  const { addEvent, showRide, ride } = view;

  useEffect(() => {
    if (session.subject) void Promise.all([loadBooking(), loadPanel(), loadTrace()]).catch(() => undefined); // else they are fetched when they are drawn
  }, [session.subject]);

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
  const messages = queueMessages(view.events);
  const message = messages.at(-1);
  const messageId = message?.steps.findLast((s) => s.kind === "sent" && s.reached)?.id;
  const look = useQueueLook(ride?.id ?? "", messageId, ride !== undefined && !hasEnded(ride.state) && !message?.deleted);
  const waiting = waitingOf(messages, useFewestBefore(look, messageId));

  const [draft, setDraft] = useState(noDraft);
  const [activeEnd, setActiveEnd] = useState<End>("pickup");
  const { pickup, dropoff } = ride ?? draft;
  const route = useRoute(session.subject ? pickup : undefined, dropoff);

  const toPickup = ride?.state === "assigned" ? ride.pickup : undefined;
  const scene = useMemo(
    () => ({
      pickup, dropoff, route: route?.points as [number, number][] | undefined, highlighted: car,
      driven: driven.points, underway: ride?.state === "assigned" || ride?.state === "picked_up",
      paint: ride?.vehicle?.colour, pickupLabel: toPickup && `Pick-up, ${placeName(toPickup)}`,
      // Until the driver's way is known, the line from the car is straight.
      approach: toPickup && ((remaining?.route ?? [[toPickup.lat, toPickup.lon]]) as [number, number][]),
    }),
    [pickup, dropoff, route, car, driven.points, toPickup?.lat, toPickup?.lon, remaining?.route, ride?.state, ride?.vehicle?.colour],
  );
  // A car outside of the map's view is not heard from there: history tells where it was.
  const heard = driven.points !== undefined && driven.points.length > 0;
  const fit = useMemo(() => {
    const coming = toPickup && (locateCar() ?? driven.points?.at(-1));
    if (toPickup && coming) return around([toPickup, coming]);

    return pickup && dropoff ? around([pickup, dropoff]) : undefined;
    // Only when the trip or its car changes: the map stays still while the car moves.
  }, [pickup?.lat, pickup?.lon, dropoff?.lat, dropoff?.lon, ride?.state, car, heard]);

  // A place without an address is still a place: its coordinates are its name.
  const setEnd = (end: End, at: LatLon) => {
    const set = (place: Place) => setDraft((d) => ({ ...d, [end]: place }));
    set({ ...at, label: "" });
    rider.nearestPlace(at).then((p) => setDraft((d) => (isAt(d[end], at) ? { ...d, [end]: { ...at, label: p.label ?? "" } } : d)), () => undefined);
  };
  const pick = (at: LatLon) => {
    setActiveEnd(activeEnd === "pickup" ? "dropoff" : "pickup");
    setEnd(activeEnd, at);
  };
  // Who has clicked keeps the focus where it went; who opens the page may type at once.
  const opened = useRef(true);
  if (ride) opened.current = false;
  const enter = () => {
    opened.current = false;
    session.signIn();
  };

  const bookAnother = (next = noDraft, end: End = "pickup") => {
    showRide(undefined);
    writeAddress(undefined);
    setDraft(next);
    setActiveEnd(end);
  };

  return (
    <MapPage
      title="Book a ride" session={session} live={live} scene={scene} fit={fit} onPick={session.subject && !ride ? pick : undefined} onDrag={session.subject && !ride ? setEnd : undefined}
      panelLabel="Your ride" footer={ride ? (
        <Suspense>
          <Trace key={ride.id} ride={ride} at={view.at} events={view.events} look={look} driven={driven} />
        </Suspense>
      ) : null}
    >
      {!session.subject ? (
        <SignIn session={{ ...session, signIn: enter }} title="Book a ride" action="Become a rider">
          One click makes you a rider of this demo. There is nothing to fill in, and nobody is charged.
        </SignIn>
      ) : ride ? (
        <Suspense><RidePanel
          ride={ride} at={view.at} remaining={remaining} points={driven.points} waiting={waiting} look={look} onChanged={showRide} onAnother={() => bookAnother()}
          onAgain={() => bookAnother({ pickup: ride.pickup, dropoff: ride.dropoff }, "dropoff")}
          onMove={() => bookAnother({ pickup: undefined, dropoff: ride.dropoff })}
        /></Suspense>
      ) : (
        <Suspense>
          <Stack gap="md">
            <BookingPanel draft={draft} activeEnd={activeEnd} onDraft={setDraft} onActiveEnd={setActiveEnd} onBooked={showRide} ready={opened.current} />
            <RideList onRide={showRide} />
          </Stack>
        </Suspense>
      )}
      <ProblemNote error={session.subject && view.error} retried={view.error instanceof Problem && view.error.temporary} />
    </MapPage>
  );
}

const isAt = (p: Place | undefined, at: LatLon) => p?.lat === at.lat && p.lon === at.lon;

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
