import { useCallback, useEffect, useState } from "react";
import { rider } from "../api/client";
import type { Ride, RideEvent, RideState } from "../api/types";

export const ended = (state: RideState): boolean => state === "completed" || state === "cancelled" || state === "unfulfilled";

const lookAgain = 10_000; // the socket tells of changes; this is for what it missed

export interface RideView {
  ride: Ride | undefined;
  events: RideEvent[];
  loading: boolean;
  error: unknown;
  show: (ride: Ride | undefined) => void;
  hear: (event: RideEvent) => void;
}

/** The rider's ride with its events: the latest one that has not ended, or the one just booked. */
export function useRide(subject: string | undefined): RideView {
  const [ride, setRide] = useState<Ride>();
  const [events, setEvents] = useState<RideEvent[]>([]);
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<unknown>();

  const show = useCallback((next: Ride | undefined) => {
    setRide(next);
    setEvents((old) => (old[0]?.ride_id === next?.id ? old : []));
  }, []);

  useEffect(() => {
    if (!subject) return;
    rider
      .latest()
      .then(({ rides }) => {
        const [last] = rides;
        if (last && !ended(last.state)) setRide((now) => now ?? last);
        setError(undefined);
      })
      .catch(setError)
      .finally(() => setLoading(false));
  }, [subject]);

  const id = ride?.id;
  const over = ride ? ended(ride.state) : true;
  const newest = events.at(-1)?.seq;
  useEffect(() => {
    if (!id) return;
    const refresh = () =>
      rider
        .ride(id)
        .then((r) => {
          setRide((now) => (now?.id === r.id ? r : now));
          setError(undefined);
        })
        .catch(setError);
    void refresh();
    if (over) return;
    const timer = setInterval(() => void refresh(), lookAgain);
    return () => clearInterval(timer);
  }, [id, over, newest]);

  useEffect(() => {
    if (!id) return;
    rider.events(id).then((page) => setEvents((old) => page.events.reduce(withEvent, old)), () => undefined); // the socket brings them too
  }, [id]);

  const hear = useCallback((event: RideEvent) => setEvents((old) => (event.ride_id === id ? withEvent(old, event) : old)), [id]);
  return { ride, events, loading, error, show, hear };
}

/** Events come by socket and by page, some twice: each once, in order. */
export function withEvent(old: RideEvent[], event: RideEvent): RideEvent[] {
  if (old.some((e) => e.seq === event.seq)) return old;
  return [...old, event].sort((a, b) => a.seq - b.seq);
}
