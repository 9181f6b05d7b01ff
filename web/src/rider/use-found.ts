import { useEffect, useRef, useState } from "react";
import type { Ride } from "../api/types";

const moment = 3000; // ms

/** Whether a driver has been found while this page looked, a moment ago. */
export function useFound(ride: Ride): boolean {
  const [found, setFound] = useState(false);
  const before = useRef(ride.state);

  useEffect(() => {
    const looking = before.current === "requested" || before.current === "offered";
    before.current = ride.state;
    if (!looking || ride.state !== "assigned") return;

    setFound(true);
    const timer = setTimeout(() => setFound(false), moment);
    return () => clearTimeout(timer);
  }, [ride.state]);

  return found && ride.state === "assigned";
}
