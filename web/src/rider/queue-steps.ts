import type { RideEvent } from "../api/types";

/** What a step is, whatever it is called. */
export type StepKind =
  | "created" | "requeued" | "outbox" | "sent" | "received" | "offered" | "refused" | "expired"
  | "accepted" | "cancelled" | "unfulfilled" | "deleted" | "dead";

/** One thing that happened on a message's way, or that is still to come. */
export interface QueueStep {
  kind: StepKind;
  name: string;
  reached: boolean;
  after?: number; // ms since the ride was requested; absent: not reached, or nobody knows it yet
  id?: string; // what a test or a curious reader compares
  testid?: string;
  fate?: string; // of a try that has not deleted the message
  wait?: number; // ms since the try before
  worker?: string; // the name of the process that received it
}

/** One receive of the message by a worker. */
export interface Try {
  number: number;
  pid: string;
  fate?: string;
  wait?: number;
  worker?: string;
}

/** One message's way through the queue. A ride that is requeued gets another message. */
export interface QueueMessage {
  attempt: number;
  steps: QueueStep[];
  tries: Try[];
  deleted: boolean;
  hiddenFor?: number; // seconds for which SQS hides it from other workers, each time
}

/** A ride's messages in order, each with its steps in the order in which they must have happened. */
export function queueMessages(events: RideEvent[]): QueueMessage[] {
  const start = events.find((e) => e.kind === "requested");
  if (!start) return [{ attempt: 1, steps: [{ kind: "created", name: "201 Created", reached: false }, ...ahead(0)], tries: [], deleted: false }];

  const attempts = byAttempt(events);
  return attempts.map((own, i) => messageOf(own, Date.parse(start.at), i === attempts.length - 1));
}

/**
 * The events of each attempt. What names a message is put under that message's attempt:
 * its delete is often noted when the ride has its next attempt already.
 */
function byAttempt(events: RideEvent[]): RideEvent[][] {
  const attemptOf = new Map(events.filter(tellsOfMessage).map((e) => [messageId(e), e.attempt]));
  const groups = new Map<number, RideEvent[]>();

  for (const e of events) {
    const attempt = attemptOf.get(messageId(e)) ?? e.attempt;
    groups.set(attempt, [...(groups.get(attempt) ?? []), e]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, own]) => own);
}

const messageId = (e: RideEvent) => text(e.data.message_id);
const text = (v: unknown) => (v === undefined || v === null ? undefined : String(v));
const tellsOfMessage = (e: RideEvent) => messageId(e) !== undefined && (e.kind === "queued" || e.kind === "received");

// What is to come on a message's way, where nothing goes wrong.
const way: Pick<QueueStep, "kind" | "name" | "testid">[] = [
  { kind: "outbox", name: "outbox", testid: "outbox-id" },
  { kind: "sent", name: "sent, message", testid: "message-id" },
  { kind: "received", name: "received", testid: "worker-pid" },
  { kind: "offered", name: "offered", testid: "trace-offered" },
  { kind: "accepted", name: "accepted", testid: "trace-accepted" },
  { kind: "deleted", name: "deleted", testid: "trace-deleted" },
];
const [sent, received, offered, accepted, deleted, end] = [1, 2, 3, 4, 5, 6] as const;

const ahead = (from: number): QueueStep[] => way.slice(from).map((step) => ({ ...step, reached: false }));

// The steps that are told as they are, each with what is next on the way.
const told: Partial<Record<RideEvent["kind"], { kind: StepKind; name: string; testid: string; next: number }>> = {
  requested: { kind: "created", name: "201 Created", testid: "trace-created", next: 0 },
  requeued: { kind: "requeued", name: "requeued", testid: "trace-requeued", next: 0 },
  offered: { kind: "offered", name: "offered", testid: "trace-offered", next: accepted },
  refused: { kind: "refused", name: "refused", testid: "trace-refused", next: offered },
  offer_expired: { kind: "expired", name: "offer expired", testid: "trace-expired", next: offered },
  assigned: { kind: "accepted", name: "accepted", testid: "trace-accepted", next: deleted },
  cancelled: { kind: "cancelled", name: "cancelled", testid: "trace-cancelled", next: deleted },
  unfulfilled: { kind: "unfulfilled", name: "no driver was found", testid: "trace-unfulfilled", next: deleted },
  deleted: { kind: "deleted", name: "deleted", testid: "trace-deleted", next: end },
  dead_lettered: { kind: "dead", name: "dead letter", testid: "trace-dead", next: end },
};

function messageOf(own: RideEvent[], start: number, newest: boolean): QueueMessage {
  const after = (e: RideEvent) => Date.parse(e.at) - start;
  const tries = triesOf(own);
  const ids = new Set<string>();
  const steps: QueueStep[] = [];
  let next = 0;
  let triesTold = 0;

  for (const e of own) {
    const id = messageId(e);

    // The relay notes that it was sent after SQS has answered, and a fast worker has
    // noted the receive by then. But nobody receives what was not sent.
    if (id && tellsOfMessage(e) && !ids.has(id)) {
      ids.add(id);
      // After a dead letter a person has sent it back: it goes its way again.
      const back = steps.some((s) => s.testid === "trace-dead");
      steps.push(...sentSteps(own, id, start).slice(back ? 1 : 0).map((s) => (back ? { ...s, name: "sent back, message" } : s)));
      next = back ? sent + 1 : Math.max(next, sent + 1);
    }

    const t = e.kind === "received" ? tries[triesTold++] : undefined;
    if (t) {
      const testid = triesTold === tries.length ? "worker-pid" : `try-${t.number}-pid`;
      steps.push({ kind: "received", ...t, name: `received, try ${t.number}, by pid`, reached: true, after: after(e), id: t.pid, testid });
      next = Math.max(next, received + 1);
    }

    const step = told[e.kind];
    if (!step || next === end || (e.kind === "deleted" && !ids.has(id ?? ""))) continue;

    const { reason } = e.data;
    const why = (e.kind === "requeued" || e.kind === "dead_lettered") && reason ? `: ${text(reason)}` : "";
    steps.push({ kind: step.kind, name: step.name + why, testid: step.testid, reached: true, after: after(e), ...(e.kind === "assigned" ? withId(e.data.driver_id) : {}) });
    next = step.next;
  }

  // With a newer message, nothing but the delete is to come on this one's way.
  if (!newest && next < end) next = deleted;

  const visibility = own.findLast((e) => e.kind === "received")?.data.visibility_s;
  return {
    attempt: own[0]?.attempt ?? 1,
    steps: nameOnce([...steps, ...ahead(next)], newest),
    tries,
    deleted: steps.some((s) => s.testid === "trace-deleted"),
    ...(typeof visibility === "number" ? { hiddenFor: visibility } : {}),
  };
}

/** The row in the outbox, and the message that was made of it. */
function sentSteps(own: RideEvent[], id: string, start: number): QueueStep[] {
  const queued = own.find((e) => e.kind === "queued" && messageId(e) === id);
  const first = own.find((e) => e.kind === "received" && messageId(e) === id);
  const begin = Date.parse(own[0]?.at ?? "") - start; // the row's transaction is that of the request
  const delay = Number(queued?.data.delay_s ?? 0);

  // SQS's time is known with the first receive. SQS has a clock of its own: where the
  // clocks disagree, it was sent after it was promised and before it was received.
  const sentAt = text(first?.data.sent_at);
  const latest = first ? Date.parse(first.at) - start : Infinity;
  const at = sentAt === undefined ? undefined : Math.min(Math.max(Date.parse(sentAt) - start, begin), latest);

  return [
    { kind: "outbox", name: "outbox", testid: "outbox-id", reached: true, after: begin, ...withId(queued?.data.outbox_id) },
    {
      kind: "sent",
      name: delay > 0 ? `sent, hidden for ${delay} s, message` : "sent, message",
      testid: "message-id", reached: true, id, ...(at === undefined ? {} : { after: at }),
    },
  ];
}

const withId = (v: unknown) => (text(v) === undefined ? {} : { id: text(v) as string });

const outcomes: Record<string, string> = {
  retried: "failed", released: "handed back", lost: "too slow, so another got it", repeats: "done, but not deleted",
};

function triesOf(own: RideEvent[]): Try[] {
  const receives = own.filter((e) => e.kind === "received");

  return receives.map((e, i) => {
    const same = (other: RideEvent | undefined) => other !== undefined && messageId(other) === messageId(e);
    const before = receives.slice(0, i).findLast(same);
    const following = receives.slice(i + 1).find(same);
    const ended = own.find((o) => o.kind === "try_ended" && same(o) && o.data.receives === e.data.receives);

    const fate = ended ? (outcomes[String(ended.data.outcome)] ?? "ended") : following && fateBefore(e, following);
    return {
      number: Number(e.data.receives), pid: String(e.data.pid),
      ...(e.data.worker ? { worker: String(e.data.worker) } : {}),
      ...(fate ? { fate } : {}),
      ...(before ? { wait: Date.parse(e.at) - Date.parse(before.at) } : {}),
    };
  });
}

/** What became of a try of which nothing was heard before the next one began. */
function fateBefore(e: RideEvent, following: RideEvent): string {
  // A living worker keeps the message hidden. SQS may hand out a copy all the same,
  // but then it does not wait until the time is over (counted in whole seconds).
  const hidden = (Number(e.data.visibility_s ?? 0) - 1) * 1000;

  return Date.parse(following.at) - Date.parse(e.at) < hidden ? "still at it: SQS delivered a copy" : "died";
}

/** The message's way, where it is known before its events that an operator killed a worker. */
export function withKilled(message: QueueMessage, pid: string): QueueMessage {
  const killed = <T extends { fate?: string }>(of: T) => (of.fate === undefined || of.fate === "died" ? { ...of, fate: "killed" } : of);

  return {
    ...message,
    steps: message.steps.map((s) => (s.kind === "received" && s.id === pid ? killed(s) : s)),
    tries: message.tries.map((t) => (t.pid === pid ? killed(t) : t)),
  };
}

/** Of steps with one testid the last of the newest message has it: a page has each once. */
function nameOnce(steps: QueueStep[], newest: boolean): QueueStep[] {
  return steps.map(({ testid, ...step }, i) =>
    newest && testid && !steps.slice(i + 1).some((later) => later.testid === testid) ? { ...step, testid } : step);
}
