import { Button, Text, Title } from "@mantine/core";
import type { Act } from "../api/client";
import { ProblemNote } from "../ui/problem-note";
import type { Answers } from "./answers";
import { guessed, steps, verdicts, type Step } from "./steps";
import type { Sums } from "./sums";
import classes from "./compare-page.module.css";

export interface GuideProps {
  answers: Answers;
  sums: Sums | undefined;
  told: number | undefined; // the step whose verdict is shown
  next: number | undefined;
  guesses: Record<number, string>;
  acting: Act | undefined;
  refused: unknown;
  stale: boolean;
  onGuess: (step: number, guess: string) => void;
  onTake: (step: number) => void;
  onChoose: (step: number) => void;
  onAct: (act: Act) => void;
}

/** All four steps: those that were taken have a tick, and the next one is the page's primary button. */
export function Steps({ phone, ...props }: GuideProps & { phone: boolean }) {
  const { answers, next, told, acting, onTake, onChoose, onAct } = props;
  const acts = answers.latest?.acts ?? [];

  return (
    <div className={classes.steps} role="group" aria-label="Steps">
      {steps.map((step, i) => {
        const taken = acts.includes(step.act);
        const current = i === told ? { "aria-current": "step" as const } : {};
        if (taken) return <Button key={step.act} variant="subtle" px="xs" {...current} onClick={() => onChoose(i)} data-testid={`step-${i + 1}`}><Tick /> {step.name}</Button>;
        if (i === next && !phone) return <TakeButton key={step.act} step={step} n={i} acting={acting} onTake={onTake} />;
        const late = step.act === "late" && acts.includes("sns");
        return <Button key={step.act} variant="outline" c="dimmed" disabled={late} title={late ? "Behind a topic a team joins by subscribing: see step 4" : undefined} aria-pressed={i === next} onClick={() => onChoose(i)} data-testid={`step-${i + 1}`}><b>{i + 1}</b>&ensp;{step.name}</Button>;
      })}
      {!phone && <Beside {...props} />}
      <Button variant="subtle" ml={{ md: "auto" }} loading={acting === "restart"} disabled={answers.latest?.state === "starting"} onClick={() => onAct("restart")} data-testid="restart">Start over</Button>
    </div>
  );
}

function TakeButton({ step, n, acting, onTake, wide }: { step: Step; n: number; acting: Act | undefined; onTake: (n: number) => void; wide?: boolean }) {
  return (
    <Button size={wide ? "md" : "sm"} fullWidth={wide ?? false} loading={acting === step.act} onClick={() => onTake(n)} data-testid={wide ? "take" : `step-${n + 1}`}>
      <b>{n + 1}</b>&ensp;{step.name}
    </Button>
  );
}

const Tick = () => (
  <svg width="16" height="16" viewBox="0 0 16 16" role="img" aria-label="done:" className={classes.tick}>
    <path d="M2.5 8.5 6.4 12.4 13.5 4" fill="none" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" strokeLinejoin="round" />
  </svg>
);

/** What the step has shown, under each column. */
export function Verdicts({ answers, sums, told, acting, onAct, stale }: GuideProps) {
  const step = told === undefined ? undefined : steps[told];
  if (step && !sums) return <div className={classes.verdicts} />;
  if (!step || !sums) {
    return (
      <div className={classes.verdicts}>
        {(["queue", "stream"] as const).map((side) => (
          <div key={side}>
            <Title order={3}><span className={stale ? undefined : side}>{side === "queue" ? "Queue:" : "Stream:"}</span> {side === "queue" ? "work that will be gone." : "a record that stays."}</Title>
            <Text c="dimmed">{side === "queue" ? "Three teams draw a map each, and share one queue. Whoever gets a message deletes it, so no other team ever sees it: a third each." : "The same three teams, and one stream. Reading takes nothing away, so each of them gets every point and draws a whole map."}</Text>
          </div>
        ))}
      </div>
    );
  }

  const both = verdicts(step, answers, sums);
  return (
    <div className={classes.verdicts} data-testid="verdicts" data-step={told === undefined ? undefined : told + 1}>
      {(["queue", "stream"] as const).map((side) => {
        const { head, body, act } = both[side];
        return (
          <div key={side} className={classes.verdict} data-testid={`${side}-verdict`}>
            <div>
              <Title order={3}><span className={stale ? undefined : side}>{side === "queue" ? "Queue:" : "Stream:"}</span> {head}</Title>
              <Text c="dimmed"><Bold text={body} /></Text>
            </div>
            {act && <Button variant="outline" flex="none" loading={acting === act.act} onClick={() => onAct(act.act)} data-testid={act.act}>{act.name}</Button>}
          </div>
        );
      })}
    </div>
  );
}

/** A text whose words between two * are bold. */
const Bold = ({ text }: { text: string }) => text.split("*").map((part, i) => (i % 2 ? <b key={i}>{part}</b> : part));

/** What is asked before the next step. */
export function Ask({ next, guesses, stale, onGuess }: GuideProps) {
  const step = next === undefined ? undefined : steps[next];
  if (!step || next === undefined) return <Text className={classes.ask}><span><b>In short:</b> <b className={stale ? undefined : "queue"}>a queue</b> for work that somebody has to do once; <b className={stale ? undefined : "stream"}>a stream</b> for facts that many want to read, in order, and later again.</span></Text>;

  return (
    <div className={classes.ask} role="group" aria-label="Your guess">
      <Text className={classes.question}><b>Before you press {next + 1}:</b> {step.question}</Text>
      <div className={classes.guesses}>
        {step.guesses.map((g) => (
          <Button key={g} size="xs" variant={guesses[next] === g ? "filled" : "outline"} aria-pressed={guesses[next] === g} onClick={() => onGuess(next, g)} data-testid={`guess-${g.toLowerCase()}`}>{g}</Button>
        ))}
      </div>
    </div>
  );
}

/** Who has the buttons, if it is not this page; else how the guess before the step turned out. */
function Beside({ answers, told, guesses }: GuideProps) {
  const { latest } = answers;
  if (latest && !latest.yours && latest.state !== "starting") {
    return <Text className={classes.beside} data-testid="whose"><b>Somebody else has the buttons.</b> They are yours a minute after the last press.</Text>;
  }

  const step = told === undefined ? undefined : steps[told];
  if (!step || told === undefined || guesses[told] === undefined) return null;
  return <Text className={classes.beside} data-testid="guessed"><b>{guessed(step, guesses[told])}</b></Text>;
}

/** A phone's lower edge: what the last step has shown, the question, and the one button that comes next. */
export function Foot(props: GuideProps) {
  const { answers, sums, told, next, acting, stale, onTake } = props;
  const step = next === undefined ? undefined : steps[next];
  const last = told === undefined ? undefined : steps[told];
  const both = last && sums && verdicts(last, answers, sums);
  const more = next === undefined ? both?.queue.act : undefined; // else the step's own button is the one that comes next

  return (
    <section className={classes.foot} aria-label="The next step">
      <ProblemNote error={props.refused} />
      {both && (["queue", "stream"] as const).map((side) => (
        <Text key={side} className={classes.short}><b className={stale ? undefined : side}>{side === "queue" ? "Queue:" : "Stream:"}</b> {both[side].head}</Text>
      ))}
      <Beside {...props} />
      {(answers.latest?.yours ?? true) && <Ask {...props} />}
      {step && next !== undefined && <TakeButton step={step} n={next} acting={acting} onTake={onTake} wide />}
      {more && <Button size="md" fullWidth loading={acting === more.act} onClick={() => props.onAct(more.act)} data-testid="take">{more.name}</Button>}
    </section>
  );
}
