import { Text } from "@mantine/core";
import type { Answers, Side } from "./answers";
import { briefly } from "./steps";
import { failedWord } from "./tiles";
import classes from "./compare-page.module.css";

/** How many jobs a side has done, and what became of the others. */
export function JobsTotal({ answers, side, stale }: { answers: Answers; side: Side; stale: boolean }) {
  const jobs = answers.latest?.jobs;
  if (!jobs || jobs.sent === 0) return <div className={classes.total}><Text c="dimmed">The jobs are on their way.</Text></div>;

  const of = jobs[side];
  const failed = of.failed && !(side === "queue" && !of.passed) ? 1 : 0;
  const left = jobs.sent - of.done.length - failed;
  const stuck = side === "stream" && of.failed && !of.passed;
  const terms = [
    `${of.done.length} done`,
    failed > 0 && `1 ${failedWord(side, of.passed)}`,
    left > 0 && `${left} ${stuck ? "behind it" : "to do"}`,
  ].filter(Boolean);

  return (
    <div className={classes.total} data-testid={`${side}-jobs`} data-done={of.done.length}>
      <span className={classes.terms}>{terms.join(" + ")}</span>
      <b className={stale ? classes.big : `${classes.big} ${side}`}>= {jobs.sent}</b>
      <span className={classes.aside}>
        {stuck ? <><Text span inherit fw={640} {...(!stale && { c: "fault" })}>✕ stopped</Text> for <span data-testid="iterator-age" data-value={of.failed?.iterator_age_ms}>{of.failed?.iterator_age_ms === undefined ? "an unknown time" : briefly(of.failed.iterator_age_ms)}</span></>
          : of.took_ms ? <Text span inherit c="dimmed">finished in {(of.took_ms / 1000).toFixed(1)} s</Text> : null}
      </span>
    </div>
  );
}
