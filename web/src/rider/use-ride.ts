import { useCallback, useEffect, useState } from "react";
import { rider } from "../api/client";
import { persist } from "../api/persist";
import type { Ride, RideEvent, RideState } from "../api/types";
import { rideInAddress, writeAddress } from "./address";

export const hasEnded = (state: RideState): boolean => state === "completed" || state === "cancelled" || state === "unfulfilled";

// The socket reports changes at once; this finds what it missed, in ms, and that
// nobody answers any more.
const refreshInterval = 1_500;

export interface RideView {
  ride: Ride | undefined;
  at: number | undefined; // when the ride was as it is here
  events: RideEvent[];
  error: unknown;
  showRide: (ride: Ride | undefined) => void;
  addEvent: (event: RideEvent) => void;
}

/** The rider's ride with its events: the one in the page's address, the latest one if it has not ended, or the one just booked. */
export function useRide(subject: string | undefined): RideView {
  const [ride, setRide] = useState<Ride>();
  const [at, setAt] = useState<number>();
  const [events, setEvents] = useState<RideEvent[]>([]);
  const [error, setError] = useState<unknown>();

  const showRide = useCallback((next: Ride | undefined) => {
    setRide(next);
    setAt(Date.now());
    setEvents((old) => (old[0]?.ride_id === next?.id ? old : []));
  }, []);

  const leaveRide = () => {
    showRide(undefined);
    writeAddress(undefined);
  };

  useEffect(() => {
    if (!subject) {
      if (ride) leaveRide(); // of somebody whose session has ended
      return;
    }

    const asking = new AbortController();
    persist(rideToShow, { signal: asking.signal, within: Infinity, onFailure: setError })
      .then((found) => {
        // A ride that was booked while this was asked is newer than the answer.
        if (found) {
          setRide((now) => now ?? found);
          setAt((now) => now ?? Date.now());
        }
        setError(undefined);
      })
      .catch((e: unknown) => !asking.signal.aborted && setError(e));

    return () => asking.abort();
  }, [subject]);

  // Back and forward lead through the rides that were shown.
  useEffect(() => {
    const shown = () => {
      const id = rideInAddress();
      if (id) rider.ride(id).then(showRide, setError);
      else showRide(undefined);
    };
    addEventListener("popstate", shown);

    return () => removeEventListener("popstate", shown);
  }, [showRide]);

  // An event tells that the ride has changed, and the ride itself is then fetched:
  // the server alone knows what an event means for it.
  const id = ride?.id;
  useEffect(() => {
    if (id) writeAddress(id);
  }, [id]);

  const ended = ride ? hasEnded(ride.state) : true;
  const newestEvent = events.at(-1)?.seq;
  useEffect(() => {
    if (!id) return;

    let timer: ReturnType<typeof setTimeout>;
    let outdated = false;

    const refresh = async () => {
      const askedAt = Date.now();
      try {
        const answer = await rider.ride(id);
        if (outdated) return; // a newer question is under way
        setRide((now) => (now?.id === answer.id ? answer : now)); // the rider may have booked another
        setAt(askedAt);
        setError(undefined);
      } catch (e) {
        if (!outdated) setError(e);
      }

      // The next question waits for this answer: a slow server is not asked twice at once.
      if (!outdated && !ended) timer = setTimeout(() => void refresh(), refreshInterval);
    };
    void refresh();

    return () => {
      outdated = true;
      clearTimeout(timer);
    };
  }, [id, ended, newestEvent]);

  // The events so far. The socket sends them as well, so an error here is not worth
  // a message.
  useEffect(() => {
    if (!id) return;

    rider.events(id).then((all) => setEvents((old) => all.reduce(withEvent, old)), () => undefined);
  }, [id]);

  const addEvent = useCallback(
    (event: RideEvent) => setEvents((old) => (event.ride_id === id ? withEvent(old, event) : old)),
    [id],
  );

  return { ride, at, events, error, showRide, addEvent };
}

/** The ride that a page shows at first. */
async function rideToShow(): Promise<Ride | undefined> {
  const id = rideInAddress();
  if (id) return rider.ride(id);

  const [latest] = (await rider.rides(1)).rides;
  return latest && !hasEnded(latest.state) ? latest : undefined;
}

/** Events come by socket and by page, and some come twice: each is kept once, in order. */
function withEvent(old: RideEvent[], event: RideEvent): RideEvent[] {
  if (old.some((e) => e.seq === event.seq)) return old;
  return [...old, event].sort((a, b) => a.seq - b.seq);
}
