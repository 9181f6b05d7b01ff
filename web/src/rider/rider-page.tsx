import { Paper } from "@mantine/core";
import { useCallback, useEffect, useMemo, useState } from "react";
import { rider } from "../api/client";
import type { TextFrame } from "../api/socket";
import type { Place, Route } from "../api/types";
import { useLive } from "../api/use-live";
import { MapView } from "../map/map-view";
import { around, type LatLon } from "../map/projection";
import { Header } from "../ui/header";
import { LinkBanner } from "../ui/link-banner";
import classes from "../ui/map-page.module.css";
import { ProblemNote } from "../ui/problem-note";
import { SignIn, useSession } from "../ui/sign-in";
import { usePadding } from "../ui/use-padding";
import { BookingPanel, type Draft, type End } from "./booking-panel";
import { Hood } from "./hood";
import { RidePanel } from "./ride-panel";
import { ended, useRide } from "./use-ride";
import { useWay } from "./use-way";

const noDraft: Draft = { pickup: undefined, dropoff: undefined };

export default function RiderPage() {
  const session = useSession("rider");
  const view = useRide(session.subject);
  const [vehicles, setVehicles] = useState<Record<string, number>>({});
  const { hear, show, ride } = view;
  const onText = useCallback((text: TextFrame) => {
    if (text.type === "ride_event") hear(text.event);
    if (text.type === "vehicle") setVehicles((old) => ({ ...old, [text.driver_id]: text.vehicle }));
  }, [hear]);
  const live = useLive(session.subject ? "rider" : "viewer", onText);
  const { followRide } = live;
  useEffect(() => {
    if (session.subject && ride?.id) followRide(ride.id);
  }, [session.subject, ride?.id, followRide]);

  const [draft, setDraft] = useState(noDraft);
  const [end, setEnd] = useState<End>("pickup");
  const { pickup, dropoff } = ride ?? draft;
  const route = useRoute(session.subject ? pickup : undefined, dropoff);
  const mine = ride?.driver_id && !ended(ride.state) ? vehicles[ride.driver_id] : undefined;
  const fit = useMemo(() => {
    const car = ride?.state === "assigned" && mine !== undefined ? live.fleet.get(mine, Date.now()) : undefined;
    return pickup && dropoff ? around(car ? [pickup, dropoff, car] : [pickup, dropoff]) : undefined;
    // Only when the trip or its car changes: the map stays still while the car moves.
  }, [pickup?.lat, pickup?.lon, dropoff?.lat, dropoff?.lon, ride?.state, mine]);
  const scene = useMemo(() => ({ pickup, dropoff, route: route?.points as [number, number][] | undefined, mine }), [pickup, dropoff, route, mine]);
  const padding = usePadding(ride !== undefined);
  const whereIs = useCallback(() => (mine === undefined ? undefined : live.fleet.get(mine, Date.now())), [mine, live.fleet]);
  const way = useWay(ride, whereIs);

  const picking = session.subject !== undefined && !ride;
  const pick = (at: LatLon) => {
    if (!picking) return;
    const [set, next]: [End, End] = end === "pickup" ? ["pickup", "dropoff"] : ["dropoff", "pickup"];
    setEnd(next);
    const put = (place: Place) => setDraft((d) => ({ ...d, [set]: place }));
    rider.near(at).then((p) => put({ ...at, label: p.label ?? "" }), () => put({ ...at, label: "" }));
  };

  return (
    <div className={classes.page}>
      <Header title="Rider" />
      <main className={classes.stage}>
        <MapView fleet={live.fleet} scene={scene} onView={live.look} onPick={pick} picking={picking} fit={fit} padding={padding} strip={ride !== undefined} />
        <LinkBanner live={live} />
        <div className={classes.dock}>
          <Paper className={classes.panel} shadow="md" p="md" component="section" aria-label="Your ride">
            {!session.subject ? (
              <SignIn session={session} title="Book a ride" action="Become a rider">
                One click makes you a rider of this demo. There is nothing to fill in, and nobody is charged.
              </SignIn>
            ) : ride ? (
              <RidePanel
                ride={ride} way={way} onChanged={show}
                onAgain={() => {
                  show(undefined);
                  setDraft(noDraft);
                  setEnd("pickup");
                }}
              />
            ) : (
              <BookingPanel draft={draft} active={end} onDraft={setDraft} onActive={setEnd} onBooked={show} />
            )}
            <ProblemNote error={view.error} />
          </Paper>
          {ride && <Hood key={ride.id} ride={ride} events={view.events} />}
        </div>
      </main>
    </div>
  );
}

function useRoute(from: Place | undefined, to: Place | undefined): Route | undefined {
  const [route, setRoute] = useState<Route>();
  useEffect(() => {
    setRoute(undefined);
    if (!from || !to) return;
    let gone = false;
    rider.route(from, to).then((r) => !gone && setRoute(r), () => undefined); // the line is only an ornament
    return () => {
      gone = true;
    };
  }, [from?.lat, from?.lon, to?.lat, to?.lon]);
  return route;
}
