// The four steps of Six maps: what is asked before each, and what is said after it.
// Every number comes from the answers. Words between two * are set bold.
import { whole } from "../api/format";
import { staleAfter } from "../api/age";
import type { Act } from "../api/client";
import type { Answers, Side } from "./answers";
import { newTeam, type Sums } from "./sums";

export interface Step {
  act: Act;
  name: string;
  question: string;
  guesses: string[];
  right: string; // the guess that comes true
}

export const steps: Step[] = [
  {
    act: "late", name: "A new team joins", guesses: ["Queue", "Stream", "Neither"], right: "Stream",
    question: "a fourth team begins now, on both sides. Which side gives it the points from before?",
  },
  {
    act: "lose", name: "Lose the heatmap", guesses: ["Queue", "Stream", "Neither"], right: "Stream",
    question: "the heatmap's team loses its data on both sides. Which side can fill it again?",
  },
  {
    act: "jobs", name: "Now send jobs", guesses: ["Queue", "Stream", "Both"], right: "Queue",
    question: "40 pieces of work go to both sides, and one cannot be done. Which side gets the rest done?",
  },
  {
    act: "sns", name: "Fix the left with SNS", guesses: ["Yes", "No"], right: "No",
    question: "SNS copies each point to a queue for each team. Will a team that joins late have the past?",
  },
];

/** The step that an address names, ?step=2, from 0 on. */
export function stepIn(search: string): number | undefined {
  const n = Number(new URLSearchParams(search).get("step") ?? NaN);
  return Number.isInteger(n) && n >= 1 && n <= steps.length ? n - 1 : undefined;
}

/**
 * Which step's verdict is shown, and which one comes next. The step that is chosen is
 * next until it has been taken; then the first that has not been.
 */
export function place(chosen: number | undefined, acts: string[]): { told: number | undefined; next: number | undefined } {
  const taken = (i: number) => acts.includes(steps[i]?.act ?? "");
  const possible = (i: number) => !taken(i) && !(i === 0 && acts.includes("sns")); // who joins late then joins the topic
  const later = steps.findIndex((_, i) => possible(i) && i > (chosen ?? -1));
  const next = chosen !== undefined && possible(chosen) ? chosen : later >= 0 ? later : steps.findIndex((_, i) => possible(i));

  const last = steps.findIndex((s) => s.act === acts.findLast((a) => steps.some((k) => k.act === a)));
  const told = chosen !== undefined && taken(chosen) ? chosen : last;
  return { told: told >= 0 ? told : undefined, next: next >= 0 ? next : undefined };
}

export interface Verdict {
  head: string;
  body: string;
  act?: { act: Act; name: string }; // what can be done there now
}

/** What a step has shown so far, on each side. */
export function verdicts(step: Step, answers: Answers, sums: Sums): Record<Side, Verdict> {
  switch (step.act) {
    case "late":
      return { queue: lateLeft(answers, sums), stream: lateRight(answers, sums) };
    case "lose":
      return { queue: lostLeft(answers, sums), stream: lostRight(answers) };
    case "jobs":
      return { queue: jobsLeft(answers), stream: jobsRight(answers) };
    default:
      return { queue: topicLeft(answers, sums), stream: topicRight(sums) };
  }
}

/** How long something took, at most: answers come once a second. */
const within = (ms: number | undefined): string => (ms === undefined ? "" : `, within ${Math.max(1, Math.ceil(ms / 1000))} s`);

const bold = (n: number): string => `*${whole(n)}*`;

function lateLeft(answers: Answers, sums: Sums): Verdict {
  if (answers.latest?.queue?.via === "topic") return { head: "is behind a topic now.", body: "The teams began anew there: see step 4." };

  const team = newTeam(sums.queue);
  return {
    head: "no, the past was gone.",
    body: `The new team has ${bold(team?.have ?? 0)} points, all sent after it joined at ${whole(team?.joinedAt ?? 0)}, and each was taken from the other three. Deleted messages can't be asked for again.`,
  };
}

function lateRight(answers: Answers, sums: Sums): Verdict {
  const team = newTeam(sums.stream);
  const past = Math.min(answers.tables.stream[3]?.through ?? 0, team?.joinedAt ?? 0);
  if (past < (team?.joinedAt ?? 0)) return { head: "it reads the past now.", body: `${bold(past)} of the ${whole(team?.joinedAt ?? 0)} points from before it joined.` };

  return {
    head: `yes${within(answers.took.late)}.`,
    body: `It went back to the first point, read ${bold(team?.have ?? 0)}, and slowed nobody: each reader keeps its own place in the stream.`,
  };
}

function lostLeft(answers: Answers, sums: Sums): Verdict {
  const { waiting, in_flight: inFlight, counted_at: countedAt = 0 } = answers.latest?.queue ?? {};
  const counted = typeof waiting === "number" && typeof inFlight === "number" && (answers.latest?.at ?? 0) - countedAt <= staleAfter;
  const left = counted ? `${bold(waiting + inFlight)} messages are in the queue now${waiting + inFlight > 0 ? ", all of them new" : ""}` : "How many messages are in the queue SQS has not said lately";
  return { head: "no. Done means deleted.", body: `The heatmap had ${bold(sums.queue[2]?.lost ?? 0)} points. ${left}: of the old ones none is left to receive, so the holes stay.` };
}

function lostRight(answers: Answers): Verdict {
  const lost = answers.latest?.stream?.teams[2]?.lost;
  if (!lost) return { head: "not known yet.", body: "" };
  if (lost.again < lost.before) return { head: "it grows again.", body: `${bold(lost.again)} of ${whole(lost.before)} points have been read once more.` };

  const same = lost.checksum_again === lost.checksum_before;
  return {
    head: same ? `yes${within(answers.took.lose)}.` : "yes, but not the same.",
    body: `It read ${bold(lost.again)} points once more. Checksum before *${lost.checksum_before.slice(0, 8)}*, after *${lost.checksum_again.slice(0, 8)}*: ${same ? "the same bytes" : "they differ"}.`,
  };
}

function jobsLeft(answers: Answers): Verdict {
  const jobs = answers.latest?.jobs;
  const failed = jobs?.queue.failed;
  if (!jobs || !failed || !jobs.queue.passed || jobs.queue.done.length < jobs.sent - 1) {
    const tries = failed && !jobs?.queue.passed ? ` Job ${failed.tile} has failed ${times(failed.tries)}; the others do not wait for it.` : "";
    return { head: "four workers are at it.", body: `${bold(jobs?.queue.done.length ?? 0)} jobs are done.${tries}` };
  }
  return {
    head: "wins. Work that stands alone wants a queue.",
    body: `Job ${failed.tile} failed ${times(failed.tries)} and moved to the *dead letters*, where a person can look at it (${reasonOf(failed.reason)}) and send it again. No other job waited for it.`,
  };
}

/** Why, without the count of tries that the worker puts before it. */
export const reasonOf = (reason: string): string => reason.replace(/^try \d+ of \d+: /, "");

const times = (n: number): string => (n === 1 ? "once" : n === 2 ? "twice" : `${n} times`);

function jobsRight(answers: Answers): Verdict {
  const jobs = answers.latest?.jobs;
  const failed = jobs?.stream.failed;
  if (!jobs || !failed) return { head: "one worker, in order.", body: `${bold(jobs?.stream.done.length ?? 0)} jobs are done.` };
  if (jobs.stream.passed) {
    const took = jobs.stream.took_ms ? ` All was over after *${inWords(jobs.stream.took_ms)}*.` : "";
    return { head: "went on once it was let past.", body: `Record ${failed.tile} was skipped by a person, and is lost unless somebody wrote it down.${took}` };
  }

  const age = failed.iterator_age_ms;
  return {
    head: "kept the order, so it stopped.",
    body: `It may not pass record ${failed.tile}, tried ${times(failed.tries)}. All after it waits${age === undefined ? ", for how long is not known" : `, for *${briefly(age)}* now`} (the *iterator age*), until somebody skips it.`,
    act: { act: "skip", name: `Skip record ${failed.tile}` },
  };
}

function topicLeft(answers: Answers, sums: Sums): Verdict {
  const three = sums.queue.slice(0, 3);
  const late = newTeam(sums.queue);
  const of = three[0]?.of ?? 0;
  const allWhole = three.every((t) => t.have >= of);
  const has = allWhole ? `all ${bold(of)} points` : `${three.map((t) => bold(t.have)).join(", ")} of ${whole(of)} points`;
  const counts = `Since the topic took over at ${whole(sums.after)}, each of three teams has a queue of its own and ${has}.`;

  if (of === 0) return { head: "a queue for each team.", body: `The topic took over at ${whole(sums.after)}. The first points are on their way.` };
  if (!answers.latest?.acts.includes("sns_late")) {
    return { head: allWhole ? "every team is whole now." : "a queue for each team.", body: counts, act: { act: "sns_late", name: "Subscribe the new team" } };
  }
  return { head: allWhole ? "whole, but no past." : "a queue for each team.", body: `${counts} The late team has ${bold(late?.have ?? 0)}, all sent after it subscribed at ${whole(late?.joinedAt ?? 0)}: a topic keeps nothing.` };
}

const topicRight = (sums: Sums): Verdict => {
  const team = newTeam(sums.stream);
  const late = team?.joinedAt === null ? "A team that joins late reads from the first point." : `The team that joined late has ${bold(team?.have ?? 0)} of ${whole(sums.n)}.`;
  return { head: "needed no fix.", body: `One stream, as many readers as there are teams, and the past for each of them. ${late}` };
};

/** A duration as people say it. */
export function inWords(ms: number): string {
  const s = Math.floor(ms / 1000);
  const seconds = `${s % 60} ${s % 60 === 1 ? "second" : "seconds"}`;
  const m = Math.floor(s / 60);
  return m === 0 ? seconds : `${m} ${m === 1 ? "minute" : "minutes"} ${seconds}`;
}

/** The same where there is little room. */
export const briefly = (ms: number): string => inWords(ms).replace(/ minutes?/, " min").replace(/ seconds?/, " s");

/** How a guess turned out. */
export const guessed = (step: Step, guess: string | undefined): string =>
  guess === undefined ? "" : guess === step.right ? `You said ${guess}: right.` : `You said ${guess}. It is ${step.right}.`;
