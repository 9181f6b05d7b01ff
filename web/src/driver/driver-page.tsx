import { useCallback, useEffect, useMemo, useState } from "react";
import { driver } from "../api/client";
import { placeName } from "../api/format";
import type { TextFrame } from "../api/socket";
import { useLive } from "../api/use-live";
import { around, type LatLon } from "../map/projection";
import type { Scene } from "../map/scene";
import { MapPage } from "../ui/map-page";
import { SignIn, useSession } from "../ui/sign-in";
import { DutyPanel } from "./duty-panel";
import { useDriver } from "./use-driver";
import { useTitle } from "./use-title";
import { useWays } from "./use-ways";

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

  const offered = state?.ride === undefined && state?.offer !== undefined;
  const ride = state?.ride ?? state?.offer?.ride;
  const ways = useWays(ride, offered, trip?.position);
  useTitle(offered ? "A ride for you · Tandem" : undefined);

  const scene = useMemo((): Scene => {
    const own = { highlighted: ownVehicle, self: trip?.position, paint: ride?.vehicle?.colour };
    if (!ride) return own;

    const ends = { ...own, pickup: ride.pickup, dropoff: ride.dropoff, pickupLabel: `Pickup, ${placeName(ride.pickup)}` };
    const whole = points(ways.trip);
    if (offered) return { ...ends, route: whole, approach: points(ways.approach) };
    if (ride.state === "picked_up") return { ...ends, pickup: undefined, pickupLabel: undefined, dropoffLabel: `Drop-off, ${placeName(ride.dropoff)}`, route: trip?.route, underway: true };
    return { ...ends, route: whole, approach: ride.state === "assigned" ? trip?.route : undefined, underway: ride.state === "assigned" };
  }, [ride, offered, ways.trip, ways.approach, trip, ownVehicle]);

  const onRoad = trip !== undefined;
  const fit = useMemo(() => {
    const here: LatLon[] = trip ? [trip.position] : [];
    if (!ride) return trip && around(here);

    const ahead = { assigned: [ride.pickup], picked_up: [ride.dropoff] }[ride.state as string] ?? [ride.pickup, ride.dropoff];
    return around([...ahead, ...here]);
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
        <DutyPanel view={view} away={ways.approach?.distance_m} />
      ) : (
        <SignIn session={session} title="Drive" action="Become a driver">
          One click makes you a driver of this demo. An autopilot drives your car; you choose which rides to take.
        </SignIn>
      )}
    </MapPage>
  );
}

const points = (way: { points: number[][] } | undefined) => way?.points as [number, number][] | undefined;
