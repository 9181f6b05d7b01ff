import { describe, expect, test } from "vitest";
import { commandsFor } from "./commands";
import { briefly, guessed, inWords, place, stepIn, steps } from "./steps";

describe("the step that one is at", () => {
  test.each([["?step=1", 0], ["?step=4", 3], ["", undefined], ["?step=0", undefined], ["?step=5", undefined], ["?step=2.5", undefined], ["?step=💥", undefined]])("of %s is %s", (search, step) => {
    expect(stepIn(search)).toBe(step);
  });

  test.each([
    ["nothing taken", undefined, [], { told: undefined, next: 0 }],
    ["a link to the second", 1, [], { told: undefined, next: 1 }],
    ["the first taken", 0, ["late"], { told: 0, next: 1 }],
    ["the first taken, the third chosen", 2, ["late"], { told: 0, next: 2 }],
    ["the first chosen again", 0, ["late", "lose", "jobs"], { told: 0, next: 3 }],
    ["jobs, and past the one that fails", 2, ["late", "lose", "jobs", "skip"], { told: 2, next: 3 }],
    ["the last before the others", 3, ["sns"], { told: 3, next: 1 }],
    ["nobody joins late once there is a topic", 0, ["sns", "lose", "jobs"], { told: 2, next: undefined }],
    ["all taken", undefined, ["late", "lose", "jobs", "sns"], { told: 3, next: undefined }],
  ])("%s", (_, chosen, acts, want) => expect(place(chosen, acts)).toEqual(want));
});

test("a guess is told its outcome", () => {
  expect(steps.map((s) => s.guesses.includes(s.right))).toEqual([true, true, true, true]);
  expect(guessed(steps[0]!, "Stream")).toBe("You said Stream: right.");
  expect(guessed(steps[0]!, "Queue")).toBe("You said Queue. It is Stream.");
  expect(guessed(steps[0]!, undefined)).toBe("");
});

test.each([[0, "0 seconds"], [1000, "1 second"], [41_900, "41 seconds"], [61_000, "1 minute 1 second"], [125_000, "2 minutes 5 seconds"]])("%s ms are %s", (ms, words) => expect(inWords(ms)).toBe(words));

test("where there is little room a time is said briefly", () => expect([briefly(61_000), briefly(125_000), briefly(0)]).toEqual(["1 min 1 s", "2 min 5 s", "0 s"]));

describe("the commands", () => {
  const base = { side: "queue", jobs: false, topic: false, endpoint: "http://127.0.0.1:4566", region: "us-east-1" } as const;
  const all = [base, { ...base, topic: true }, { ...base, jobs: true }, { ...base, side: "stream" as const }].flatMap((w) => commandsFor(w).map((c) => c.command));

  test("take nothing from anybody, and name the endpoint in each call", () => {
    for (const c of all) {
      expect(c).not.toMatch(/receive-message|delete|purge|send|put-record/);
      expect(c.match(/\baws /g)?.length).toBe(c.match(/--endpoint-url http:\/\/127.0.0.1:4566 --region us-east-1/g)?.length);
    }
  });

  test("have no endpoint on AWS itself", () => {
    expect(commandsFor({ ...base, endpoint: undefined })[0]?.command).toMatch(/^aws --region us-east-1 sqs get-queue-attributes --queue-url "\$\(aws --region/);
  });
});
