import type { RideEvent } from "../api/types";

export interface QueueStep {
  name: string;
  id?: string; // what a test or a curious reader compares
  testid: string;
  after?: number; // ms since the ride was requested; absent: not yet
}

/** The message's way through the queue, from a ride's events. */
export function queueSteps(events: RideEvent[]): { steps: QueueStep[]; deleted: boolean } {
  const start = events.find((e) => e.kind === "requested");
  const queued = last(events, "queued");
  const since = queued ? events.filter((e) => e.seq >= queued.seq) : events;
  const received = last(since, "received") ?? last(events, "received");
  const offered = last(since, "offered");
  const taken = last(since, "assigned");
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
      step("201 Created", "hood-created", start),
      step("outbox", "outbox-id", queued, queued?.data?.outbox_id),
      step("message", "message-id", queued, queued?.data?.message_id),
      step(tries ? `received, try ${String(tries)}, by pid` : "received", "worker-pid", received, received?.data?.pid),
      step("offered", "hood-offered", offered),
      step("accepted", "hood-accepted", taken),
      step("deleted", "hood-deleted", deleted),
    ],
    deleted: deleted !== undefined,
  };
}

const last = (events: RideEvent[], kind: string) => events.findLast((e) => e.kind === kind);
