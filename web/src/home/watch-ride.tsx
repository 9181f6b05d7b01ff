import { Button } from "@mantine/core";
import { useState } from "react";
import { rider, signIn } from "../api/client";
import { addressOf } from "../rider/address";
import { ProblemNote } from "../ui/problem-note";
import classes from "./home-page.module.css";

/** One press books the short trip and leads to it: nobody fills in a form to see a ride. */
export function WatchRide() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  // One key for this page: pressed again, it is the same ride.
  const [key] = useState(() => crypto.randomUUID());

  const watch = () => {
    setBusy(true);
    setError(undefined);

    book(key).then(
      (id) => location.assign(addressOf(id)),
      (e: unknown) => {
        setBusy(false);
        setError(e);
      },
    );
  };

  return (
    <div className={classes.watch}>
      <Button size="md" loading={busy} onClick={watch} data-testid="watch-ride">Watch a ride <span className={classes.minute}>1 minute</span></Button>
      <ProblemNote error={error} />
    </div>
  );
}

/** Books the short trip as whoever this browser is. Who has a ride under way watches that. */
async function book(key: string): Promise<string> {
  await signIn("rider");
  const [last] = (await rider.rides(1)).rides;
  if (last && !last.ended_at) return last.id;

  // The trip belongs to the page that is opened next, which is loaded meanwhile.
  const { shortTrip } = await import("../rider/booking-panel");
  return (await rider.book(key, shortTrip.pickup, shortTrip.dropoff)).id;
}
