import { useCallback, useEffect, useRef, useState } from "react";
import { driver } from "../api/client";
import type { DriverState } from "../api/types";
import { Autopilot, type Trip } from "./autopilot";

const refreshInterval = 3000; // ms; the socket reports changes at once, this finds what it missed

export interface DriverView {
  state: DriverState | undefined;
  trip: Trip | undefined;
  error: unknown;
  busy: boolean;
  setState: (state: DriverState) => void;
  setDuty: (on: boolean) => void;
  answerOffer: (offer: string, accept: boolean) => void;
}

/** The driver's duty, offer and ride, and the autopilot that drives while the driver is on duty. */
export function useDriver(subject: string | undefined): DriverView {
  const [state, setState] = useState<DriverState>();
  const [trip, setTrip] = useState<Trip>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const pilot = useRef<Autopilot>(null);

  const refresh = useCallback(() => {
    driver.state().then(
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
    const timer = setInterval(refresh, refreshInterval);
    return () => clearInterval(timer);
  }, [subject, refresh]);

  const driving = state?.on_duty === true || state?.ride !== undefined;
  useEffect(() => {
    if (!subject || !driving) return;
    const autopilot = new Autopilot(subject, setTrip, refresh);
    pilot.current = autopilot;
    autopilot.start().catch(setError);

    return () => {
      autopilot.stop();
      pilot.current = null;
      setTrip(undefined);
    };
  }, [subject, driving, refresh]);

  // After the effect above, so that a new autopilot receives the state too.
  useEffect(() => {
    if (state) pilot.current?.follow(state);
  }, [state, driving]);

  const whileBusy = (work: Promise<unknown>) => {
    setBusy(true);
    setError(undefined);

    work
      .then(refresh)
      .catch((e: unknown) => {
        // The server refused because things have changed, an offer has expired for
        // example: show what is true now beside the error.
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
    setState,
    setDuty: (on) => whileBusy(driver.setDuty(on).then(setState)),
    answerOffer: (offer, accept) => whileBusy(driver.answerOffer(offer, accept)),
  };
}
