import { useEffect, useMemo, useRef, useState } from "react";
import { Problem, rider } from "../api/client";
import { persist } from "../api/persist";
import type { Place, Ride } from "../api/types";

const tryFor = 120_000; // ms
const unsure = new Problem(0, "Whether your ride is booked is not known. You may book again: with the same key it is booked only once.");

export interface Booking {
  since: number | undefined; // when the rider asked, while it is not answered
  failure: unknown; // why the try before this one failed
  error: unknown; // why it is not tried any more
  book: (pickup: Place, dropoff: Place) => void;
  stop: () => void;
}

/** Books a trip, again and again with the same key until the server says what became of it. */
export function useBooking(pickup: Place | undefined, dropoff: Place | undefined, onBooked: (ride: Ride) => void): Booking {
  const [since, setSince] = useState<number>();
  const [failure, setFailure] = useState<unknown>();
  const [error, setError] = useState<unknown>();
  const tries = useRef<AbortController>(undefined);

  // One key for every try to book this trip: the server books it only once, also
  // when an answer is lost and the rider clicks again.
  // A place's name may come after the place: it is the same trip.
  const trip = [pickup?.lat, pickup?.lon, dropoff?.lat, dropoff?.lon].join();
  const key = useMemo(() => crypto.randomUUID(), [trip]);

  const end = (why: unknown) => {
    tries.current?.abort();
    setSince(undefined);
    setFailure(undefined);
    setError(why);
  };
  useEffect(() => {
    setError(undefined);
    return () => end(undefined); // the tries are of another trip now, or the page is closed
  }, [trip]);

  const book = (from: Place, to: Place) => {
    end(undefined);
    setSince(Date.now());
    const { signal } = (tries.current = new AbortController());

    persist(() => rider.book(key, from, to), { signal, within: tryFor, onFailure: (e) => !signal.aborted && setFailure(e) }).then(
      (ride) => {
        // Booked although the rider has stopped waiting: it is theirs, so it is shown.
        setSince(undefined);
        setFailure(undefined);
        onBooked(ride);
      },
      (e: unknown) => {
        if (signal.aborted) return;
        setSince(undefined);
        setFailure(undefined);
        setError(e);
      },
    );
  };

  return { since, failure, error, book, stop: () => end(unsure) };
}
