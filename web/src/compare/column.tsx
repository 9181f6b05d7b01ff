import { Text, Title } from "@mantine/core";
import { Fragment, type ReactNode } from "react";
import { whole } from "../api/format";
import { type Answers, type Side } from "./answers";
import { AsList } from "./as-list";
import { InCli } from "./in-cli";
import { JobsTotal } from "./jobs-total";
import { Picture } from "./picture";
import { allWell, asideLeft, joined, outOfDate, sameChecksum, total, type Sum, type Sums } from "./sums";
import { workerName } from "./tiles";
import classes from "./compare-page.module.css";

interface Props {
  answers: Answers;
  version: number;
  sums: Sums | undefined;
  side: Side;
  jobs: boolean;
  stale: boolean;
  phone: boolean;
  shown: number | undefined; // the one team that there is room for; undefined: all
}

const titles = { queue: "Queue", stream: "Stream" } as const;
const inShort = { queue: "one team each", stream: "every team" } as const; // whom a point reaches
const places = [0, 1, 2, 3];
const pending = ["Map", "History", "Heatmap", "New team"];

/** One side: its maps in four places, what each team has, and the sum. */
export function Column({ answers, version, sums, side, jobs, stale, phone, shown }: Props) {
  const topic = answers.latest?.queue?.via === "topic";
  const about = jobs
    ? { queue: "Four workers, in any order:", stream: "One shard, one worker, strictly in order." }
    : { queue: topic ? "A topic copies each point to each team's queue." : "Each point reaches one team.", stream: "Each point reaches every team." };

  const title = <Title order={2} className={stale ? undefined : side}>{titles[side]}</Title>;

  return (
    <section aria-label={titles[side]} className={classes.column} data-stale={stale || undefined}>
      {shown === undefined && (
        <header className={classes.head}>
          {title}
          <Text className={classes.about}>{about[side]}{jobs && side === "queue" && <DoneBy answers={answers} stale={stale} />}</Text>
          {!phone && <More answers={answers} sums={sums} side={side} jobs={jobs} />}
        </header>
      )}

      <div className={classes.grid} data-jobs={jobs || undefined}>
        <Picture answers={answers} version={version} side={side} jobs={jobs} stale={stale} label={labelOf(side, sums, jobs, answers)} />
        {jobs ? <div className={classes.tiles} data-map="jobs" /> : places.map((team) => (
          <Place key={team} team={team} side={side} answers={answers} sums={sums} title={shown === undefined ? undefined : title} hidden={shown !== undefined && shown !== team} />
        ))}
      </div>

      {jobs ? <JobsTotal answers={answers} side={side} stale={stale} /> : <Total answers={answers} sums={sums} side={side} stale={stale} />}
    </section>
  );
}

/** A side's numbers otherwise. */
export function More(props: { answers: Answers; sums: Sums | undefined; side: Side; jobs: boolean }) {
  return (
    <div className={classes.moreOf}>
      <b className={classes.whoseMore}>{titles[props.side]}</b>
      <AsList {...props} />
      <InCli {...props} />
    </div>
  );
}

interface PlaceProps {
  team: number;
  side: Side;
  answers: Answers;
  sums: Sums | undefined;
  title: ReactNode; // the side's, where only this place is shown
  hidden: boolean;
}

/** One team's map, its bar and its count. */
function Place({ team, side, answers, sums, title, hidden }: PlaceProps) {
  const sum = sums?.[side][team];
  const there = sum !== undefined && sum.joinedAt !== null;
  const absent = sum ? !there : team === 3;

  return (
    <div className={classes.cell} hidden={hidden} data-testid={`${side}-${team}`}>
      <div className={classes.map} {...(!absent && { "data-map": team })} data-absent={absent || undefined}>
        {absent && <Text size="sm" c="dimmed">A team that joins late has its place here.</Text>}
      </div>
      <Bar sum={there ? sum : undefined} side={side} name={pending[team] ?? ""} />
      <div className={classes.caption}>
        {title ?? <b>{pending[team]}</b>}
        <Text span c="dimmed" className={classes.note}>{noteOf(team, side, answers, sum) ?? (title && inShort[side])}</Text>
        <span className={classes.count}>{there ? <><b data-testid={`${side}-${team}-have`} data-value={sum.have}>{whole(sum.have)}</b> <Text span inherit c="dimmed">of {whole(sum.of)}</Text></> : sum ? "" : <Unknown />}</span>
      </div>
    </div>
  );
}

const Unknown = () => <span className={classes.unknown} title="not known yet" data-age="unknown">?</span>;

/** How much of what was sent a team has; dashed while there is no such team. */
export function Bar({ sum, side, name }: { sum: Sum | undefined; side: Side; name: string }) {
  const share = sum && sum.of > 0 ? sum.have / sum.of : 0;
  if (!sum) return <div className={classes.bar} data-absent />;

  return (
    <svg className={classes.bar} viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label={`${name}: ${whole(sum.have)} of ${whole(sum.of)} points`}>
      <rect width={100 * Math.min(1, share)} height="6" className={classes[side]} />
    </svg>
  );
}

/** What else is to be said of a team. */
function noteOf(team: number, side: Side, answers: Answers, sum: Sum | undefined): ReactNode {
  if (!sum) return null;
  if (sum.joinedAt === null) return "not there yet";
  if (team === 3) return `joined at ${whole(sum.joinedAt)}`;
  if (sum.lost > 0) return side === "queue" ? `lost ${whole(sum.lost)}` : "lost, read again";
  if (team !== 0) return null;

  const { cars, missed } = outOfDate(answers, side, team);
  if (missed === 0) return null;
  return <><i className={classes.ring} aria-hidden /> <span data-testid={`${side}-missed`} data-value={missed}>{missed}</span> of {cars} out of date</>;
}

/** The sum of a side: of the queue's teams one, of the stream's each the whole. */
function Total({ answers, sums, side, stale }: { answers: Answers; sums: Sums | undefined; side: Side; stale: boolean }) {
  if (!sums) return <div className={classes.total} />;

  const teams = joined(sums[side]);
  const hue = stale ? classes.big : `${classes.big} ${side}`;
  const topic = answers.latest?.queue?.via === "topic";
  if (side === "queue" && !topic) {
    return (
      <div className={classes.total} data-testid="queue-total" data-union={sums.union} data-twice={sums.twice}>
        <span className={classes.terms}>{teams.map((t, i) => <Fragment key={t.name}>{i > 0 && <i> + </i>}{whole(t.have)}</Fragment>)}</span>
        <b className={hue} data-testid="queue-sum" data-value={total(teams)}>= {whole(total(teams))}</b>
        <Text c="dimmed" className={classes.aside} data-well={asideLeft(sums) === allWell || undefined}>{asideLeft(sums)}</Text>
      </div>
    );
  }

  const of = teams[0]?.of ?? 0;
  const equal = teams.every((t) => t.have === t.of);
  const all = side === "stream" || sums.queue[3]?.joinedAt === null ? teams : teams.slice(0, 3);
  const whole3 = all.every((t) => t.have === t.of);
  return (
    <div className={classes.total} data-testid={`${side}-total`}>
      {whole3 && of > 0
        ? <><span className={classes.terms}>each of {["no", "one", "two", "three", "four"][all.length]} teams</span><b className={hue} data-testid={`${side}-sum`} data-value={of}>= {whole(of)}</b></>
        : <span className={classes.terms}>{teams.map((t, i) => <Fragment key={t.name}>{i > 0 && <i> · </i>}{whole(t.have)}</Fragment>)}</span>}
      <Text c="dimmed" className={classes.aside} data-well={equal || undefined}>{side === "queue" ? `of the ${whole(of)} since SNS` : equal && sameChecksum(answers) ? `same checksum, ${["", "once", "twice", "three times", "four times"][teams.length]}` : equal ? "" : `of ${whole(of)}: the others are read now`}</Text>
    </div>
  );
}

/** How many jobs each worker has done. */
function DoneBy({ answers, stale }: { answers: Answers; stale: boolean }) {
  const done = answers.latest?.jobs?.queue.done ?? [];
  return (
    <span className={classes.doneBy}>
      {[1, 2, 3, 4].map((w) => <span key={w}> <b className={stale ? undefined : "queue"}>{workerName(w)}</b> {done.filter((d) => d.worker === w).length}</span>)}
    </span>
  );
}

/** The picture in words. */
function labelOf(side: Side, sums: Sums | undefined, jobs: boolean, answers: Answers): string {
  if (jobs) return `${titles[side]}: the city in 40 tiles, of which ${answers.latest?.jobs?.[side].done.length ?? 0} are drawn. The list has each of them.`;
  if (!sums) return `${titles[side]}: the city without points.`;
  return `${titles[side]}: ${joined(sums[side]).map((t) => `${t.title} has ${t.have} of ${t.of} points`).join(", ")}. The list has the same.`;
}
