import type { RideState } from "../api/types";
import type { QueueMessage } from "./queue-steps";
import type { QueueLook } from "./use-queue-look";

/** What the ride's events and the queue say of a rider who waits for a driver. */
export interface Waiting {
  before: number | undefined; // requests that were in the queue with this one; undefined: not known, or not asked
  saidNo: number; // drivers, since the ride was booked
  silent: number; // drivers who did not answer in time
  tries: number; // of the newest message
  sentAgain: number; // times that no driver was free
}

/**
 * The sum of the ride's events. A queue tells how many messages it has, and no
 * message's place in it: those that came later are counted too, so the smallest count
 * since this one was sent is the nearest.
 */
export function waitingOf(messages: QueueMessage[], fewest: number | undefined): Waiting {
  const steps = messages.flatMap((m) => m.steps).filter((s) => s.reached);
  const newest = messages.at(-1);
  const count = (kind: string) => steps.filter((s) => s.kind === kind).length;
  const waits = newest !== undefined && newest.tries.length === 0 && !newest.deleted;

  return { before: waits ? fewest : undefined, saidNo: count("refused"), silent: count("expired"), tries: newest?.tries.length ?? 0, sentAgain: count("requeued") };
}

const drivers = (n: number) => (n === 1 ? "a driver" : `${n} drivers`);

/** Where the request is, in one sentence. What is not known is not said. */
export function waitingWords(state: RideState, w: Waiting, look: Pick<QueueLook, "state">): string {
  if (state === "offered") return "A driver nearby is asked at this moment.";
  if (w.tries > 0) return "A worker has the request and looks for a driver nearby.";
  if (w.sentAgain > 0 && look.state === "delayed") return "Nobody nearby was free. The request is in the queue again, hidden for a moment.";
  if (w.before === undefined) return "The request waits in the queue for a worker.";
  return w.before === 0 ? "The request is the next in the queue." : `About ${w.before} ${w.before === 1 ? "request" : "requests"} before yours in the queue.`;
}

/** What has happened to it so far, or nothing. */
export function soFar(w: Waiting): string {
  const parts = [
    w.saidNo > 0 && `${drivers(w.saidNo)} said no`,
    w.silent > 0 && `${drivers(w.silent)} did not answer`,
    w.sentAgain > 0 && `nobody was free ${w.sentAgain === 1 ? "once" : `${w.sentAgain} times`}`,
  ].filter((p) => typeof p === "string");
  const story = parts.length > 0 ? parts.join(", ") : "";
  const again = w.tries > 1 ? `Try ${w.tries}${story ? ": " : "."}` : "";

  return again + (again || !story ? story : story.charAt(0).toUpperCase() + story.slice(1)) + (story ? "." : "");
}
