import { useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { Stale, useSecondsUntil } from "../ui/stale";
import { countedBranches, inWords, since, stagesOf, type Stage } from "./rail";
import classes from "./rail.module.css";
import type { QueueMessage } from "./queue-steps";
import type { QueueLook } from "./use-queue-look";
import { useTravel } from "./use-travel";

/** The tab of the console, so that one after another opens in the same. */
const consoleTab = "tandem-console";

interface Props {
  message: QueueMessage;
  look?: QueueLook | undefined; // of the newest message
  happenedAt: number; // when the newest stage was reached
}

/** One message's way: a dot that moves from stage to stage, and dissolves when it is deleted. */
export function QueueRail({ message, look, happenedAt }: Props) {
  const stages = stagesOf(message);
  const reached = Math.max(0, stages.findLastIndex((s) => s.reached));
  const drawn = useTravel(reached, happenedAt);
  const gone = stages[drawn]?.kind === "deleted" && message.deleted;
  const list = useRef<HTMLOListElement>(null);
  const place = usePlaceOf(list, drawn, stages.length);

  return (
    <ol ref={list} className={classes.rail} aria-label={`Message ${message.attempt}: ${inWords(stages)}`}>
      {stages.map((s, i) => (
        <StageItem key={i} stage={s} passed={i <= drawn && s.reached} next={stages[i + 1]} toNext={i < drawn} current={i === drawn && !message.deleted ? look : undefined} gone={gone && i === drawn} />
      ))}
      {!gone && place && <li aria-hidden className={classes.traveller} style={{ transform: `translate(${place.x}px, ${place.y}px)` }} />}
    </ol>
  );
}

interface ItemProps {
  stage: Stage;
  passed: boolean;
  next: Stage | undefined;
  toNext: boolean; // the message has gone on from here
  current: QueueLook | undefined; // where the message is now
  gone: boolean;
}

function StageItem({ stage: s, passed, next, toNext, current, gone }: ItemProps) {
  const dotted = next?.hidden !== undefined || (current?.state !== undefined && current.state !== "visible");

  return (
    <li className={classes.stage} data-stage={s.kind} data-passed={passed || undefined} data-line={!next ? "none" : dotted ? "dotted" : toNext ? "solid" : "ahead"}>
      <a className={classes.link} href={s.href} target={consoleTab} title={`${s.id ?? s.label}, on the console`} data-testid={s.id && s.testid} data-value={s.id}>
        <span className={classes.long}>{s.label}</span>
        <span className={classes.brief}>{s.brief}</span>
        <span className={classes.dot} aria-hidden>{gone && <Dissolved />}</span>
        <span className={classes.when} data-testid={s.testid && `${s.testid}-after`} data-value={s.reached ? s.after : undefined} data-note={s.note !== undefined || undefined}>
          {s.note ?? (!s.reached ? "\u00a0" : s.after === undefined ? "no worker yet" : since(s.after))}
        </span>
      </a>
      {current && <Hidden look={current} />}
      {next?.hidden !== undefined && (
        <span className={classes.hidden} data-testid={next.testid && `${next.testid}-wait`} data-value={next.hidden}>hidden {since(next.hidden)}</span>
      )}
      {countedBranches(s.branches).map((b) => (
        <span key={b.word} className={classes.branch} data-fault={b.fault || undefined}>
          <Cross />
          <span data-testid={b.testid}><span className={classes.mark} aria-hidden>✕ </span>{b.word}{b.times > 1 && ` ×${b.times}`}</span>
        </span>
      ))}
    </li>
  );
}

/** How long the queue hides the message yet, by its own deadline. */
function Hidden({ look }: { look: QueueLook }) {
  const seconds = useSecondsUntil(look.showsAt);
  if (look.state === undefined) return null;

  return (
    <span className={classes.hidden} data-testid="hidden-for" data-value={look.showsAt}>
      {look.state === "visible" ? "any worker may take it" : <Stale at={look.heardAt} of={seconds}>{(s) => `hidden ${s}\u00a0s more`}</Stale>}
    </span>
  );
}

const Cross = (): ReactNode => (
  <svg className={classes.cross} width="20" height="20" viewBox="0 0 20 20" aria-hidden>
    <circle cx="10" cy="10" r="8.5" />
    <path d="m6.6 6.6 6.8 6.8m0-6.8-6.8 6.8" />
  </svg>
);

const crumbs = [0, 1, 2, 3, 4, 5];
const Dissolved = () => <span className={classes.dissolved}>{crumbs.map((i) => <i key={i} style={{ "--i": i } as React.CSSProperties} />)}</span>;

/** Where a stage's dot stands within the list, measured again when the list has another size. */
function usePlaceOf(list: React.RefObject<HTMLOListElement | null>, index: number, stages: number): { x: number; y: number } | undefined {
  const [place, setPlace] = useState<{ x: number; y: number }>();

  useLayoutEffect(() => {
    const el = list.current;
    if (!el) return;

    const measure = () => {
      const dot = el.querySelectorAll(`.${classes.dot}`)[index]?.getBoundingClientRect();
      const box = el.getBoundingClientRect();
      if (!dot) return;
      const [x, y] = [dot.left + dot.width / 2 - box.left, dot.top + dot.height / 2 - box.top];
      setPlace((old) => (old?.x === x && old.y === y ? old : { x, y }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(el);

    return () => observer.disconnect();
  }, [list, index, stages]);

  return place;
}
