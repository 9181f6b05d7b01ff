import { here } from "../api/age";
import { rider } from "../api/client";
import type { RideQueue } from "../api/types";
import { usePoll } from "../api/use-poll";

const interval = 1000; // ms

/** What the queue itself says of a ride's message, in times of this browser's clock. */
export interface QueueLook {
  waiting: number | undefined; // requests that no worker has, about; undefined: not known
  waitingAt: number | undefined; // when SQS said so
  state: "visible" | "in_flight" | "delayed" | undefined; // undefined: it is not there, or this queue cannot be looked into
  showsAt: number | undefined; // the queue's own deadline
  heardAt: number | undefined;
  known: boolean;
}

/** Looks into the queue each second while the ride's message may be there. */
export function useQueueLook(ride: string, message: string | undefined, active: boolean): QueueLook {
  const look = usePoll(active ? () => rider.queueLook(ride, message) : undefined, interval);
  return lookOf(look.data, look.askedAt);
}

export function lookOf(data: RideQueue | undefined, askedAt: number): QueueLook {
  const mine = (at: number | undefined) => data && here(at, { serverNow: data.at, askedAt });
  const { counts, message } = data ?? {};

  return {
    waiting: counts?.visible,
    waitingAt: mine(counts?.heard_at),
    state: message?.state,
    showsAt: data && message?.shows_at ? askedAt + (message.shows_at - data.at) : undefined,
    heardAt: mine(message?.heard_at),
    known: data?.known ?? false,
  };
}
