import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { admin } from "../api/client";
import { moment, visible, whole } from "../api/format";
import type { DeadLetter, DeadLetterDetail, RideEvent } from "../api/types";
import { Loading } from "../ui/loading";
import { ProblemNote } from "../ui/problem-note";
import classes from "./dead-letters.module.css";

const reasonAttribute = "DeadLetterReason"; // it is told as why the message is here
export const noReason = "none: SQS moved it after too many receives";

interface Props {
  letter: DeadLetter;
  disabled: boolean;
  onRedrive: () => void;
  onDiscard: () => void;
  onClose: () => void;
}

/** All there is of one dead letter: why it is here, its body, its ride's history; and what to do with it. */
export function LetterDialog({ letter, disabled, onRedrive, onDiscard, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const [detail, setDetail] = useState<DeadLetterDetail>();
  const [error, setError] = useState<unknown>();
  const [asked, setAsked] = useState(0);

  // A native dialog keeps the focus inside, closes on Escape, and returns the focus.
  useEffect(() => {
    const el = dialog.current;
    if (el && !el.open) el.showModal();
  }, []);

  useEffect(() => {
    const gone = new AbortController();
    admin.deadLetter(letter.place, letter.id, gone.signal).then(setDetail, (e: unknown) => {
      if (!gone.signal.aborted) setError(e);
    });
    return () => gone.abort();
  }, [letter.place, letter.id, asked]);

  const again = () => {
    setError(undefined);
    setAsked((n) => n + 1);
  };
  const act = (then: () => void) => {
    dialog.current?.close(); // it returns the focus before what follows takes it
    then();
  };

  return (
    <dialog ref={dialog} className={`${classes.dialog} ${classes.letter}`} aria-labelledby={title} onClose={onClose} data-testid="letter-dialog">
      <Stack gap="sm" p="md">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <Title order={3} size="md" id={title}>A dead letter of {letter.place}</Title>
          <Button size="xs" variant="default" onClick={() => dialog.current?.close()}>Close</Button>
        </Group>
        {detail ? <Detail of={detail} /> : error ? <ProblemNote error={error} onRetry={again} /> : <Loading what="the dead letter" />}
        <Group gap="sm">
          <Button size="xs" variant="default" disabled={disabled} data-testid="letter-redrive" onClick={() => act(onRedrive)}>Redrive</Button>
          <Button size="xs" variant="outline" color="fault" disabled={disabled} data-testid="letter-discard" onClick={() => act(onDiscard)}>Discard…</Button>
        </Group>
      </Stack>
    </dialog>
  );
}

function Detail({ of: { letter, body, bytes, attributes, history } }: { of: DeadLetterDetail }) {
  const shownBytes = new TextEncoder().encode(body).length;
  const facts: [string, ReactNode][] = [
    ["Id", letter.id],
    ["Why it is here", visible(letter.reason) || noReason],
    ["What it is", visible(letter.about)],
    ["A redrive", letter.advice],
    ["Its ride", rideText(letter)],
    ["Goes back to", letter.source],
    ["Written", letter.written_at ? moment(letter.written_at) : "not known"],
    ["Sent", letter.sent_at ? moment(letter.sent_at) : "not known"],
    [letter.place === "outbox" ? "Tries" : "Receives", `${whole(letter.receives)}${letter.place === "outbox" ? "" : ", with each look"}`],
    ...(letter.group ? [["Group", visible(letter.group)] as [string, ReactNode]] : []),
    ...Object.entries(attributes).filter(([name]) => name !== reasonAttribute).map(([name, value]): [string, ReactNode] => [`Attribute ${visible(name)}`, visible(value)]),
  ];

  return (
    <>
      <dl className={classes.facts}>
        {facts.map(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name} is`}>{value}</dd>])}
      </dl>
      <Title order={4} size="sm">Body, {whole(bytes)} bytes{shownBytes < bytes && ", of which the first are shown"}</Title>
      {/* What scrolls must take the focus, or no key can scroll it. */}
      <pre className={classes.body} tabIndex={0} role="region" aria-label="Body" data-testid="letter-body">{visible(body) || "(empty)"}</pre>
      {history.length > 0 && (
        <>
          <Title order={4} size="sm">Its ride, event by event</Title>
          <ol className={classes.history} data-testid="letter-history">
            {history.map((e) => <li key={e.seq}>{moment(e.at)} <b>{e.kind.replaceAll("_", " ")}</b> by {visible(e.by)}<Text size="xs" c="dimmed">{dataText(e)}</Text></li>)}
          </ol>
        </>
      )}
    </>
  );
}

/** A ride as it is now. */
function rideText({ ride }: DeadLetter): string {
  if (!ride) return "none";
  if (!ride.known) return `${ride.id}: not known`;
  return `${ride.id}: ${ride.state ?? "no such ride"}`;
}

const dataText = ({ data }: RideEvent) =>
  visible(Object.entries(data).map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join(", "));
