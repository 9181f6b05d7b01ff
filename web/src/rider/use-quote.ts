import { useCallback, useEffect, useState } from "react";
import { rider } from "../api/client";
import type { Place, Quote } from "../api/types";

/** The price of a trip, as soon as both ends are chosen. */
export function useQuote(pickup: Place | undefined, dropoff: Place | undefined): { quote: Quote | undefined; error: unknown; retry: () => void } {
  const [quote, setQuote] = useState<Quote>();
  const [error, setError] = useState<unknown>();
  const [tries, setTries] = useState(0);

  useEffect(() => {
    setQuote(undefined);
    setError(undefined);
    if (!pickup || !dropoff) return;

    // An answer that comes after another end was chosen is of another trip.
    let outdated = false;
    rider.quote(pickup, dropoff).then(
      (answer) => !outdated && setQuote(answer),
      (e: unknown) => !outdated && setError(e),
    );

    return () => {
      outdated = true;
    };
  }, [pickup?.lat, pickup?.lon, dropoff?.lat, dropoff?.lon, tries]);

  const retry = useCallback(() => setTries((n) => n + 1), []);

  return { quote, error, retry };
}
