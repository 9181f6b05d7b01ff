import { useEffect, useState } from "react";
import { here } from "../api/age";
import { rider } from "../api/client";
import type { RideQueue } from "../api/types";
import { usePoll } from "../api/use-poll";
import type { AwsAddress } from "../ui/cli";

const interval = 1000; // ms

/** What the queue itself says of a ride's message, in times of this browser's clock. */
export interface QueueLook {
  waiting: number | undefined; // requests that no worker has, about; undefined: not known
  waitingAt: number | undefined; // when SQS said so
  state: "visible" | "in_flight" | "delayed" | undefined; // undefined: it is not there, or this queue cannot be looked into
  showsAt: number | undefined; // the queue's own deadline
  heardAt: number | undefined;
  known: boolean;
  aws: AwsAddress | undefined; // where the queue is; undefined: nobody has answered
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
    aws: data && { endpoint: data.endpoint, region: data.region },
  };
}

/** The fewest requests that were seen before this one since it was sent; undefined: nobody has said. */
export function useFewestBefore(look: QueueLook, message: string | undefined): number | undefined {
  const [fewest, setFewest] = useState<{ message: string; before: number }>();
  const before = look.waiting === undefined || (look.known && look.state !== "visible") ? undefined : Math.max(0, look.waiting - 1); // without itself

  useEffect(() => {
    if (message === undefined || before === undefined) return;
    setFewest((old) => (old?.message === message && old.before <= before ? old : { message, before }));
  }, [message, before]);

  return fewest && fewest.message === message ? fewest.before : undefined;
}
