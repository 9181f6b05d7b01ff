import { useCallback, useEffect, useState } from "react";
import { rider } from "../api/client";
import type { Ride, RideEvent, RideState } from "../api/types";

export const hasEnded = (state: RideState): boolean => state === "completed" || state === "cancelled" || state === "unfulfilled";

const refreshInterval = 10_000; // ms; the socket reports changes at once, this finds what it missed

export interface RideView {
  ride: Ride | undefined;
  events: RideEvent[];
  error: unknown;
  showRide: (ride: Ride | undefined) => void;
  addEvent: (event: RideEvent) => void;
}

/** The rider's ride with its events: the latest one if it has not ended, or the one just booked. */
export function useRide(subject: string | undefined): RideView {
  const [ride, setRide] = useState<Ride>();
  const [events, setEvents] = useState<RideEvent[]>([]);
  const [error, setError] = useState<unknown>();

  const showRide = useCallback((next: Ride | undefined) => {
    setRide(next);
    setEvents((old) => (old[0]?.ride_id === next?.id ? old : []));
  }, []);

  useEffect(() => {
    if (!subject) return;

    rider
      .latestRide()
      .then(({ rides }) => {
        const [latest] = rides;

        // A ride that was booked while this was asked is newer than the answer.
        if (latest && !hasEnded(latest.state)) setRide((now) => now ?? latest);
        setError(undefined);
      })
      .catch(setError);
  }, [subject]);

  // An event tells that the ride has changed, and the ride itself is then fetched:
  // the server alone knows what an event means for it.
  const id = ride?.id;
  const ended = ride ? hasEnded(ride.state) : true;
  const newestEvent = events.at(-1)?.seq;
  useEffect(() => {
    if (!id) return;

    const refresh = () =>
      rider
        .ride(id)
        .then((answer) => {
          setRide((now) => (now?.id === answer.id ? answer : now)); // the rider may have booked another
          setError(undefined);
        })
        .catch(setError);
    void refresh();
    if (ended) return;

    const timer = setInterval(() => void refresh(), refreshInterval);

    return () => clearInterval(timer);
  }, [id, ended, newestEvent]);

  // The events so far. The socket sends them as well, so an error here is not worth
  // a message.
  useEffect(() => {
    if (!id) return;

    rider.events(id).then((page) => setEvents((old) => page.events.reduce(withEvent, old)), () => undefined);
  }, [id]);

  const addEvent = useCallback(
    (event: RideEvent) => setEvents((old) => (event.ride_id === id ? withEvent(old, event) : old)),
    [id],
  );

  return { ride, events, error, showRide, addEvent };
}

/** Events come by socket and by page, and some come twice: each is kept once, in order. */
function withEvent(old: RideEvent[], event: RideEvent): RideEvent[] {
  if (old.some((e) => e.seq === event.seq)) return old;
  return [...old, event].sort((a, b) => a.seq - b.seq);
}
