import { short } from "../api/format";
import { partId } from "../console/part-id";
import type { QueueMessage, QueueStep } from "./queue-steps";

/** What leaves the rail, downwards: a try that failed, or a driver who did not take the ride. */
export interface Branch {
  word: string;
  fault: boolean; // it died or was set aside; else it is amber, a part of the ordinary way
  testid?: string;
}

/** One stage of a message on the amber rail. */
export interface Stage {
  kind: QueueStep["kind"];
  label: string;
  brief: string; // the same on a narrow screen
  reached: boolean;
  href: string; // where the console shows it
  after?: number; // ms since the ride was requested
  note?: string; // in place of the time
  hidden?: number; // ms for which the message was not seen, between the try before and this one
  branches: Branch[];
  id?: string;
  testid?: string;
}

const at = (kind: Parameters<typeof partId>[0], name: string) => `/admin#${partId(kind, name)}`;
const requests = at("queue", "ride-requests");
const booking = at("service", "booking");

/** The stages of a message's way, with what branches off from each. */
export function stagesOf(message: QueueMessage): Stage[] {
  const stages: Stage[] = [];
  let worker = requests; // where the newest try is shown

  for (const s of message.steps) {
    const base = {
      kind: s.kind, reached: s.reached, branches: [],
      ...(s.after === undefined ? {} : { after: s.after }), ...(s.id ? { id: s.id } : {}), ...(s.testid ? { testid: s.testid } : {}),
    };
    const last = stages.at(-1);

    switch (s.kind) {
      case "outbox": // in the transaction of the booking: one stage
        break;

      case "created":
        stages.push({ ...base, label: "booked", brief: "booked", href: booking });
        break;

      case "requeued":
        stages.push({ ...base, label: "sent again", brief: "again", href: booking, ...note(s.name.split(": ")[1]) });
        break;

      case "sent":
        stages.push({ ...base, label: s.name.startsWith("sent back") ? "sent back to the queue" : "in the queue", brief: "queue", href: requests });
        break;

      case "received":
        if (s.worker) worker = at("worker", s.worker);
        stages.push({
          ...base, ...receiveLabels(s), href: s.reached ? worker : requests,
          branches: s.fate ? [{ word: s.fate, fault: s.fate === "died" || s.fate === "killed", ...(s.testid ? { testid: `${s.testid}-fate` } : {}) }] : [],
          ...(s.wait === undefined ? {} : { hidden: s.wait }),
        });
        break;

      case "offered":
        // What is to come is one stage: somebody says yes.
        if (s.reached) stages.push({ ...base, label: "asking a driver", brief: "asking", href: worker });
        break;

      case "refused":
      case "expired":
        refuse(stages, s, { ...base, href: worker });
        break;

      case "accepted":
        if (s.reached && last?.kind === "offered") stages.pop(); // the same driver, who has answered
        stages.push({ ...base, label: s.reached ? `${s.id ? `driver ${short(s.id)}` : "a driver"} said yes` : "a driver says yes", brief: "yes", href: booking });
        break;

      case "cancelled":
        stages.push({ ...base, label: "you cancelled", brief: "cancelled", href: booking });
        break;

      case "unfulfilled":
        stages.push({ ...base, label: "nobody found", brief: "nobody", href: booking });
        break;

      case "dead":
        stages.push({
          ...base, label: "set aside", brief: "set aside", href: at("queue", "ride-requests-dlq"), branches: [{ word: s.name, fault: true }],
        });
        break;

      case "deleted":
        stages.push({ ...base, label: "deleted", brief: "deleted", href: requests, ...(s.reached ? { note: "nothing left" } : {}) });
    }
  }
  return stages;
}

const note = (words: string | undefined) => (words ? { note: words } : {});

function receiveLabels(s: QueueStep): { label: string; brief: string } {
  const number = /try (\d+)/.exec(s.name)?.[1];
  return number ? { label: `try ${number}, pid ${s.id}`, brief: `try ${number}` } : { label: "a worker's try", brief: "try" };
}

/** The driver who was asked has not taken it. Of several in a row one stage is drawn, with each branch. */
function refuse(stages: Stage[], s: QueueStep, base: Omit<Stage, "label" | "brief">): void {
  const branch: Branch = { word: s.kind === "refused" ? "said no" : "did not answer", fault: false, ...(s.testid ? { testid: s.testid } : {}) };
  if (stages.at(-1)?.kind === "offered") stages.pop();

  const before = stages.at(-1);
  if (before?.kind !== "refused" && before?.kind !== "expired") {
    stages.push({ ...base, label: "one driver", brief: "one", branches: [branch] });
    return;
  }

  const branches = [...before.branches, branch];
  stages[stages.length - 1] = { ...before, ...base, label: `${branches.length} drivers`, brief: String(branches.length), branches };
}

/** Equal branches as one, with how many there are. */
export function countedBranches(branches: Branch[]): { word: string; fault: boolean; times: number; testid?: string }[] {
  const out: { word: string; fault: boolean; times: number; testid?: string }[] = [];
  for (const b of branches) {
    const same = out.find((o) => o.word === b.word && o.fault === b.fault);
    if (same) Object.assign(same, b, { times: same.times + 1 });
    else out.push({ ...b, times: 1 });
  }
  return out;
}

/** A message's way in words, for who does not see it. */
export function inWords(stages: Stage[]): string {
  return stages
    .filter((s) => s.reached)
    .map((s) => [s.label, ...s.branches.map((b) => b.word)].join(", "))
    .join("; ");
}

/** A time since the booking, as short as a rail needs it. */
export const since = (ms: number): string => (ms < 1000 ? `${Math.round(ms)}\u00a0ms` : `${(ms / 1000).toFixed(1)}\u00a0s`);
