import { Button, Text, Title, VisuallyHidden } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useMemo, useRef, useState } from "react";
import type { Act } from "../api/client";
import { whole } from "../api/format";
import { Header, mainId } from "../ui/header";
import { ProblemNote } from "../ui/problem-note";
import { Stale, useAge } from "../ui/stale";
import { useKeptFocus } from "../ui/use-kept-focus";
import { newcomer, settling, sides, teamNames } from "./answers";
import { Column, More } from "./column";
import { Ask, Foot, Steps, Verdicts, type GuideProps } from "./guide";
import { place, stepIn, steps, verdicts } from "./steps";
import { sumsOf, type Sums } from "./sums";
import { Trouble, useTrouble } from "./trouble";
import { useCompare, type Looking } from "./use-compare";
import { usePolite } from "./use-polite";
import classes from "./compare-page.module.css";

/** Six maps: the same points on a queue and on a stream, and three teams that read each side. */
export default function ComparePage() {
  const looking = useCompare();
  const { answers, version } = looking;
  const stale = useAge(answers.askedAt) === "stale";
  const phone = useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false }) ?? false;
  const [team, setTeam] = useState(1);
  const main = useRef<HTMLDivElement>(null);
  const keepFocus = useKeptFocus(main);

  const sums = useMemo(() => sumsOf(answers), [answers, version]); // the answers change in place
  const guide = useGuide(looking, sums, stale, setTeam);
  const jobs = guide.told !== undefined && steps[guide.told]?.act === "jobs";
  const shown = phone && !jobs ? team : undefined;
  const polite = usePolite(useSentence(looking, sums, guide.told));
  const column = { answers, version, sums, jobs, stale, shown, phone };

  return (
    <div className={classes.page}>
      <Header />
      <main ref={main} {...keepFocus} id={mainId} tabIndex={-1} className={classes.main}>
        <div className={classes.inner}>
          <Top looking={looking} sums={sums} jobs={jobs} />
          {phone && !jobs && <TeamSwitch team={team} onTeam={setTeam} />}
          <div className={classes.columns}>
            <Column {...column} side="queue" />
            <Column {...column} side="stream" />
          </div>
          {phone && <div className={classes.more}>{sides.map((side) => <More key={side} answers={answers} sums={sums} side={side} jobs={jobs} />)}</div>}
        </div>
        <section className={classes.guide} aria-label="Steps and what they show">
          <div className={classes.inner}>
            <Steps {...guide} phone={phone} />
            <Verdicts {...guide} />
            {!phone && (guide.refused ? <ProblemNote error={guide.refused} /> : <Ask {...guide} />)}
          </div>
        </section>
      </main>
      {phone && <Foot {...guide} />}
      <VisuallyHidden role="status" data-testid="polite">{polite}</VisuallyHidden>
    </div>
  );
}

function Top({ looking, sums, jobs }: { looking: Looking; sums: Sums | undefined; jobs: boolean }) {
  const { answers } = looking;
  const { latest } = answers;
  const failed = latest?.jobs?.queue.failed ?? latest?.jobs?.stream.failed;
  const trouble = useTrouble(looking);

  return (
    <div className={classes.top}>
      {jobs ? (
        <Title order={1}>{latest?.jobs?.sent || "The"} jobs</Title>
      ) : (
        <Title order={1} data-testid="sent" data-value={sums?.n}><Stale at={answers.askedAt} of={sums?.n}>{whole}</Stale> points</Title>
      )}
      {trouble || !latest ? <Trouble looking={looking} trouble={trouble} /> : <>
      <Text className={classes.sub}>
        {jobs ? `each draws one tile of the city, and ${failed ? `number ${failed.tile}` : "one of them"} can't be drawn` : <>tell where {latest?.cars ?? "?"} cars are, <span className={classes.wide}>each sent once to a queue and once to a stream</span><span className={classes.narrow}>each sent to both sides</span></>}
      </Text>
      <Text c="dimmed" className={classes.rest}>
        {jobs ? "measured here" : `measured here, as of ${settling / 1000} s ago`} · {latest && latest.viewers > 1 ? `${latest.viewers} look` : "runs only while you look"}
      </Text>
      </>}
    </div>
  );
}

/** Which of the teams a phone shows, on both sides. */
function TeamSwitch({ team, onTeam }: { team: number; onTeam: (team: number) => void }) {
  return (
    <div className={classes.switch} role="group" aria-label="Team">
      {Object.values(teamNames).map((name, i) => (
        <Button key={name} size="sm" px={4} variant={i === team ? "white" : "subtle"} className={classes.switchTo} aria-pressed={i === team} onClick={() => onTeam(i)}>{name}</Button>
      ))}
    </div>
  );
}

// Whom an act is about, where there is room for one team.
const teamOf: Partial<Record<Act, number>> = { late: newcomer, lose: 2, sns_late: newcomer };

/** Which step one is at: the address says it, so that it is a link. */
function useGuide(looking: Looking, sums: Sums | undefined, stale: boolean, onTeam: (team: number) => void): GuideProps {
  const { answers, acting, refused, act } = looking;
  const [chosen, setChosen] = useState(() => stepIn(location.search));
  const [guesses, setGuesses] = useState<Record<number, string>>({});
  const { told, next } = place(chosen, answers.latest?.acts ?? []);

  const choose = (step: number | undefined) => {
    setChosen(step);
    history.replaceState(null, "", step === undefined ? location.pathname : `?step=${step + 1}`);
  };
  const run = async (name: Act) => {
    if (!(await act(name))) return;
    const of = teamOf[name];
    if (of !== undefined) onTeam(of);
    if (name !== "restart") return;

    choose(undefined);
    setGuesses({});
  };

  return {
    answers, sums, told, next, guesses, acting, refused, stale,
    onGuess: (step, guess) => setGuesses((g) => ({ ...g, [step]: guess })),
    onTake: (step) => {
      choose(step);
      const taken = steps[step];
      if (taken) void run(taken.act);
    },
    onChoose: choose,
    onAct: (name) => void run(name),
  };
}

/** What a listener hears: what is wrong, or what the step has shown. */
function useSentence(looking: Looking, sums: Sums | undefined, told: number | undefined): string {
  const trouble = useTrouble(looking);
  if (trouble) return trouble.text.replace(/ for \d+ s/, "");

  const step = told === undefined ? undefined : steps[told];
  if (!step || !sums) return "";
  const { queue, stream } = verdicts(step, looking.answers, sums);
  return `${step.name}. Queue: ${queue.head} Stream: ${stream.head}`;
}
