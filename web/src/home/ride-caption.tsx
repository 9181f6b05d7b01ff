import { VisuallyHidden } from "@mantine/core";
import { useEffect, useState } from "react";
import type { ShownRide } from "../api/socket";
import { captionOf, tellable } from "./captions";
import classes from "./home-page.module.css";

const readFor = 3000; // ms for which a caption stands at least
const sayEvery = 5000; // ms between two things that are read aloud

/** What happens to one simulated ride, a caption for each event. */
export function RideCaption({ ride }: { ride: ShownRide }) {
  const events = tellable(ride.events);

  // Events come in bursts: each stands long enough to be read.
  const [at, setAt] = useState(0);
  const behind = at < events.length - 1;
  useEffect(() => {
    if (!behind) return;
    const timer = setTimeout(() => setAt(at + 1), readFor);
    return () => clearTimeout(timer);
  }, [at, behind]);

  const event = events[Math.min(at, events.length - 1)];
  const caption = event && captionOf(event);
  const said = useSaid(caption?.text ?? "");
  if (!event || !caption) return null;

  return (
    <div className={classes.caption} data-testid="ride-caption" data-kind={event.kind} data-ride={ride.n}>
      <p className={classes.about}>A simulated ride, as it happens. Move anything to come back.</p>
      <p className={caption.hue ? `${classes.event} ${caption.hue}` : classes.event} aria-hidden>{caption.text}</p>
      <VisuallyHidden role="status">{said}</VisuallyHidden>
    </div>
  );
}

/** The newest text, at most one each few seconds: who hears the page is not talked over. */
function useSaid(text: string): string {
  const [said, setSaid] = useState("");
  const [saidAt, setSaidAt] = useState(0);

  useEffect(() => {
    if (text === said) return;
    const timer = setTimeout(() => {
      setSaid(text);
      setSaidAt(Date.now());
    }, Math.max(0, saidAt + sayEvery - Date.now()));
    return () => clearTimeout(timer);
  }, [text, said, saidAt]);

  return said;
}
