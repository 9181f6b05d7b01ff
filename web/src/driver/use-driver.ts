import { useSessionStorage } from "@mantine/hooks";
import { useCallback, useEffect, useRef, useState } from "react";
import { driver } from "../api/client";
import type { DriverState, Ride } from "../api/types";
import { Autopilot, type Trip } from "./autopilot";

// The socket reports changes at once; this finds what it missed, in ms, and that
// nobody answers any more.
const refreshInterval = 1500;

const autopilotThinks = 2000; // ms, so that a person sees what it accepts

export interface DriverView {
  state: DriverState | undefined;
  at: number | undefined; // when the state was as it is here
  trip: Trip | undefined;
  error: unknown;
  busy: boolean;
  lastRide: Ride | undefined; // the one that this page has seen completed last
  autopilot: boolean; // it answers offers
  setAutopilot: (on: boolean) => void;
  setState: (state: DriverState) => void;
  setDuty: (on: boolean) => void;
  answerOffer: (offer: string, accept: boolean) => void;
}

/** The driver's duty, offer and ride, and the autopilot that drives while the driver is on duty. */
export function useDriver(subject: string | undefined): DriverView {
  const [heard, setHeard] = useState<{ state: DriverState; at: number }>();
  const state = heard?.state;
  const [trip, setTrip] = useState<Trip>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const pilot = useRef<Autopilot>(null);

  const setState = useCallback((s: DriverState) => setHeard({ state: s, at: Date.now() }), []);
  const refresh = useCallback(async () => {
    const at = Date.now();
    try {
      const s = await driver.state();

      // What the socket has told meanwhile is newer.
      setHeard((old) => (old && old.at > at ? old : { state: s, at }));
      setError(undefined);
    } catch (e) {
      setError(e);
    }
  }, []);

  useEffect(() => {
    if (!subject) return setHeard(undefined); // of somebody whose session has ended
    let timer: ReturnType<typeof setTimeout>;
    let stopped = false;

    // The next question waits for this answer: a slow server is not asked twice at once.
    const poll = async () => {
      await refresh();
      if (!stopped) timer = setTimeout(() => void poll(), refreshInterval);
    };
    void poll();

    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [subject, refresh]);

  const driving = state?.on_duty === true || state?.ride !== undefined;
  useEffect(() => {
    if (!subject || !driving) return;
    const autopilot = new Autopilot(subject, setTrip, () => void refresh());
    pilot.current = autopilot;
    autopilot.start();

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

  // What became of a ride that is not there any more, its driver still reads.
  const [lastRide, setLastRide] = useState<Ride>();
  const riding = state?.ride?.id;
  const before = useRef(riding);
  useEffect(() => {
    const ended = before.current;
    before.current = riding;
    if (ended && ended !== riding) driver.ride(ended).then((r) => r.state === "completed" && setLastRide(r), () => undefined);
  }, [riding]);

  const whileBusy = (work: Promise<unknown>) => {
    setBusy(true);
    setError(undefined);

    work
      .then(refresh)
      .catch((e: unknown) => {
        // The server refused because things have changed, an offer has expired for
        // example: show what is true now beside the error.
        void refresh().finally(() => setError(e));
      })
      .finally(() => setBusy(false));
  };

  const answerOffer = (offer: string, accept: boolean) => whileBusy(driver.answerOffer(offer, accept));
  const [autopilot, setAutopilot] = useSessionStorage({ key: "tandem-autopilot", defaultValue: false, getInitialValueInEffect: false });
  useAutopilot(autopilot ? state?.offer?.id : undefined, answerOffer);

  return {
    state,
    at: heard?.at,
    trip,
    error,
    busy,
    lastRide,
    autopilot,
    setAutopilot,
    setState,
    setDuty: (on) => whileBusy(driver.setDuty(on).then(setState)),
    answerOffer,
  };
}

/** Accepts an offer after a moment. */
function useAutopilot(offer: string | undefined, answer: (offer: string, accept: boolean) => void) {
  const latest = useRef(answer);
  useEffect(() => {
    latest.current = answer;
  });

  useEffect(() => {
    if (!offer) return;

    const timer = setTimeout(() => latest.current(offer, true), autopilotThinks);
    return () => clearTimeout(timer);
  }, [offer]);
}
