import { Button, Text } from "@mantine/core";
import { time } from "../api/format";
import { ProblemNote } from "../ui/problem-note";
import { useAge, useSeconds } from "../ui/stale";
import type { Looking } from "./use-compare";
import classes from "./compare-page.module.css";

const announced = 15_000; // ms for which a new session is said to be new

/** Why the page is not of now, or why nothing new comes. One thing at a time, the gravest. */
export function useTrouble({ answers, error }: Looking): { text: string; retry: boolean } | undefined {
  const { latest, askedAt, grownAt } = answers;
  const age = useAge(askedAt);
  const growth = useAge(grownAt);
  const seconds = useSeconds(age === "stale" ? askedAt : grownAt) ?? 0;
  if (!latest) return error ? undefined : { text: "", retry: false };

  const now = (text: string) => ({ text, retry: false });
  if (age === "stale") return { text: `No answer for ${seconds} s. What is shown is of ${time(askedAt ?? 0)}; the page asks again by itself.`, retry: true };
  if (latest.state === "starting") return now("A session is starting: on both sides three teams begin to read. That takes a second or two.");
  if (latest.error) return now(`${latest.error} What was sent stays as it is.`);
  if (latest.state === "full") return now(`${latest.sent.toLocaleString("en")} points are all that a session takes. Start over for a new one.`);
  if (growth === "stale") return now(`No new point for ${seconds} s: no driver is heard from, or queue and stream do not answer. What was sent stays as it is.`);
  if (answers.renewed && latest.at - latest.started_at < announced) return now("The session that you looked at has ended. This is a new one, with points of its own.");
  return undefined;
}

/** It stands in the place of the headline's second half, so that nothing jumps. */
export function Trouble({ looking, trouble }: { looking: Looking; trouble: ReturnType<typeof useTrouble> }) {
  if (!looking.answers.latest) return <ProblemNote error={looking.error} retried />; // empty until an answer, or until none came in time
  if (!trouble) return null;

  return (
    <div className={classes.trouble} data-testid="trouble">
      <Text>{trouble.text}</Text>
      {trouble.retry && <Button size="xs" variant="white" flex="none" onClick={looking.lookNow}>Try now</Button>}
    </div>
  );
}
