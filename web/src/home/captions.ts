import type { ShownEvent } from "../api/socket";

/** A sentence for each event of a ride, as parts: some have a side's hue. */
export interface Caption {
  hue?: "queue" | "stream";
  text: string;
}

/** What an event means, for who has never seen a queue; undefined: the one before has said it. */
export function captionOf(e: ShownEvent): Caption | undefined {
  switch (e.kind) {
    case "requested":
      return { hue: "queue", text: "Somebody books a ride: one message goes into the queue." };
    case "received":
      return { hue: "queue", text: receivedBy(e) };
    case "offered":
      return { hue: "queue", text: "It asks a driver, and holds the message until one says yes." };
    case "refused":
      return { hue: "queue", text: "The driver says no. The same worker asks the next one." };
    case "offer_expired":
      return { hue: "queue", text: "The driver does not answer. The worker asks the next one." };
    case "requeued":
      return { hue: "queue", text: "No driver is free: a new message will come back later." };
    case "assigned":
      return { hue: "stream", text: "A driver says yes. Where the car is, its points on the stream say." };
    case "deleted":
      return { hue: "queue", text: "Done means deleted: the queue has nothing left of it." };
    case "arrived":
      return { hue: "stream", text: "The car is at the pick-up, and each second adds a point." };
    case "picked_up":
      return { hue: "stream", text: "On the way. Every reader gets the same points, each at its own pace." };
    case "completed":
      return { hue: "stream", text: "The ride is over. Its message is gone, and all its points are kept." };
    case "cancelled":
      return { text: "The rider has cancelled." };
    case "unfulfilled":
      return { text: "No driver was found in time." };
    case "ended":
      return { text: "The ride has ended." };
    default:
      return undefined;
  }
}

function receivedBy({ pid, try: n }: ShownEvent): string {
  const worker = pid === undefined ? "One worker" : `One worker, process ${pid},`;
  return n !== undefined && n > 1 ? `${worker} takes it, which is try ${n}.` : `${worker} takes it. No other one gets it.`;
}

/** The events that have a caption, without one that repeats the one before it. */
export const tellable = (events: ShownEvent[]): ShownEvent[] =>
  events.filter((e) => captionOf(e) !== undefined).filter((e, i, all) => i === 0 || captionOf(all[i - 1] as ShownEvent)?.text !== captionOf(e)?.text);
