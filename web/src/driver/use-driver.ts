import { useCallback, useEffect, useRef, useState } from "react";
import { driver } from "../api/client";
import type { DriverState } from "../api/types";
import { Autopilot, type Trip } from "./autopilot";

const lookAgain = 3000; // the socket tells of changes; this is for what it missed

export interface Driving {
  state: DriverState | undefined;
  trip: Trip | undefined;
  error: unknown;
  busy: boolean;
  hear: (state: DriverState) => void;
  setDuty: (on: boolean) => void;
  answer: (offer: string, yes: boolean) => void;
}

/** The driver's duty, offer and ride, with the autopilot that drives while on duty. */
export function useDriver(subject: string | undefined): Driving {
  const [state, setState] = useState<DriverState>();
  const [trip, setTrip] = useState<Trip>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const pilot = useRef<Autopilot>(null);

  const refresh = useCallback(() => {
    driver.me().then(
      (s) => {
        setState(s);
        setError(undefined);
      },
      setError,
    );
  }, []);

  useEffect(() => {
    if (!subject) return;
    refresh();
    const timer = setInterval(refresh, lookAgain);
    return () => clearInterval(timer);
  }, [subject, refresh]);

  const driving = state?.on_duty === true || state?.ride !== undefined;
  useEffect(() => {
    if (!subject || !driving) return;
    const made = new Autopilot(subject, setTrip, refresh);
    pilot.current = made;
    made.start().catch(setError);
    return () => {
      made.stop();
      pilot.current = null;
      setTrip(undefined);
    };
  }, [subject, driving, refresh]);

  useEffect(() => {
    if (state) pilot.current?.follow(state);
  }, [state, driving]);

  const during = (work: Promise<unknown>) => {
    setBusy(true);
    setError(undefined);
    work
      .then(refresh)
      .catch((e: unknown) => {
        refresh();
        setError(e);
      })
      .finally(() => setBusy(false));
  };
  return {
    state,
    trip,
    error,
    busy,
    hear: setState,
    setDuty: (on) => during(driver.duty(on).then(setState)),
    answer: (offer, yes) => during(driver.answer(offer, yes)),
  };
}
