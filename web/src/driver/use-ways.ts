import { useEffect, useState } from "react";
import { driver } from "../api/client";
import type { Place, Ride, Route } from "../api/types";
import type { LatLon } from "../map/projection";

/** The streets of the ride that a driver has or is offered, and those to its rider while it is offered. */
export function useWays(ride: Ride | undefined, offered: boolean, here: LatLon | undefined): { trip: Route | undefined; approach: Route | undefined } {
  const trip = useWay(ride && `${ride.id} trip`, ride?.pickup, ride?.dropoff);
  const approach = useWay(ride && offered && here ? `${ride.id} approach` : undefined, here, ride?.pickup);

  return { trip, approach };
}

/** The way between two places, as they were when its key came up: a car drives on. */
function useWay(key: string | undefined, from: LatLon | undefined, to: Place | undefined): Route | undefined {
  const [found, setFound] = useState<{ key: string; route: Route }>();

  useEffect(() => {
    if (!key || !from || !to) return;

    // Without the line on the map one can drive all the same: an error is not shown.
    driver.route(from, to).then((route) => setFound({ key, route }), () => undefined);
  }, [key]);

  return found?.key === key ? found?.route : undefined;
}
