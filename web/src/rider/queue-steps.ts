import type { RideEvent } from "../api/types";

export interface QueueStep {
  name: string;
  id?: string; // what a test or a curious reader compares
  testid: string;
  after?: number; // ms since the ride was requested; absent: not yet
}

/** The message's steps through the queue, as a ride's events tell them. */
export function queueSteps(events: RideEvent[]): { steps: QueueStep[]; deleted: boolean } {
  const start = events.find((e) => e.kind === "requested");

  // A ride may be queued again, as a new message: the steps are those of the last one.
  const queued = last(events, "queued");
  const since = queued ? events.filter((e) => e.seq >= queued.seq) : events;

  // The relay notes "queued" after it has sent the message, so a fast worker may
  // have noted "received" before.
  const received = last(since, "received") ?? last(events, "received");
  const offered = last(since, "offered");
  const accepted = last(since, "assigned");
  const deleted = last(since, "deleted");

  const step = (name: string, testid: string, event: RideEvent | undefined, id?: unknown): QueueStep => ({
    name,
    testid,
    ...(id === undefined || id === null ? {} : { id: String(id) }),
    ...(event && start ? { after: Date.parse(event.at) - Date.parse(start.at) } : {}),
  });
  const tries = received?.data?.receives;

  return {
    steps: [
      step("201 Created", "trace-created", start),
      step("outbox", "outbox-id", queued, queued?.data?.outbox_id),
      step("message", "message-id", queued, queued?.data?.message_id),
      step(tries ? `received, try ${String(tries)}, by pid` : "received", "worker-pid", received, received?.data?.pid),
      step("offered", "trace-offered", offered),
      step("accepted", "trace-accepted", accepted),
      step("deleted", "trace-deleted", deleted),
    ],
    deleted: deleted !== undefined,
  };
}

const last = (events: RideEvent[], kind: string) => events.findLast((e) => e.kind === kind);
