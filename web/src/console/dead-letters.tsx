import { Anchor, Button, Group, Stack, Table, Text, Title } from "@mantine/core";
import { useId, useRef, useState } from "react";
import { admin } from "../api/client";
import { day, short, time, visible, whole } from "../api/format";
import type { DeadLetter, DeadListing, OperationsAct } from "../api/types";
import { Loading } from "../ui/loading";
import { ProblemNote } from "../ui/problem-note";
import { ActDialog, type Answered, type Asked } from "./act-dialog";
import { Acts } from "./acts";
import { ofReader } from "./reader-words";
import type { Heard } from "./heard";
import { LetterDialog, noReason } from "./letter-dialog";
import { countsOf, useDeadLetters } from "./use-dead-letters";
import { WideTable } from "./wide-table";
import classes from "./dead-letters.module.css";

interface Question extends Asked {
  act: (answer: Answered) => Promise<OperationsAct>;
}

/** What the workers could not handle: why, and what a person does with it. */
export function DeadLetters({ heard }: { heard: Heard }) {
  const { data, acts, error, asking, look } = useDeadLetters(countsOf(heard));
  const [question, setQuestion] = useState<Question>();
  const [shown, setShown] = useState<DeadLetter>();
  const [acting, setActing] = useState(false);
  const [said, setSaid] = useState("");
  const status = useRef<HTMLParagraphElement>(null);
  const actsTitle = useId();
  const ours = (acts ?? []).filter((a) => !ofReader(a.place));
  const [failure, setFailure] = useState<unknown>();

  const perform = async (act: () => Promise<OperationsAct>) => {
    setActing(true);
    setSaid("Under way: it waits until nobody else looks.");
    setFailure(undefined);
    // The row's button is about to be gone, and the focus with it: what comes of it is told here.
    status.current?.focus();

    try {
      const done = await act();
      setSaid(`✓ ${done.act}: ${done.result ?? done.outcome}.`);
    } catch (e) {
      setSaid("");
      setFailure(e);
    }
    await look();
    setActing(false);
  };

  if (!data) return error ? <ProblemNote error={error} onRetry={() => void look()} /> : <Loading what="the dead letters" />;

  const letters = data.places.flatMap((p) => p.letters);
  const ask = (q: Question) => setQuestion(q);
  const redrive = (l: DeadLetter) => void perform(() => admin.redrive(l.place, l.id, ""));
  const discard = (l: DeadLetter) =>
    ask({
      title: `Discard ${short(l.id)}`, action: "Discard", needsWhy: true,
      children: `It is deleted from ${l.place} for good. Who did it, and why, is kept.`,
      act: ({ why }) => admin.discard(l.place, l.id, why),
    });

  return (
    <Stack gap="sm" aria-busy={asking || acting}>
      <Group gap="sm">
        <Text size="sm" data-testid="dead-looked">
          Looked at {time(Date.parse(data.at))}. <Text span inherit c="dimmed">To look is to receive: it hides them from others for a moment.</Text>
        </Text>
        <Button size="xs" variant="default" loading={asking && !acting} disabled={acting} onClick={() => void look()}>Look again</Button>
      </Group>
      {error !== undefined && <ProblemNote error={error} onRetry={() => void look()} />}
      <Text size="sm" ref={status} tabIndex={-1} role="status" data-testid="dead-said">{said}</Text>
      <ProblemNote error={failure} />

      {data.places.map((p) => <Place key={p.place} listing={p} disabled={acting} onAsk={ask} onCancel={() => void perform(() => admin.cancelRedrive(p.place))} />)}
      {letters.length > 0 ? (
        <Letters letters={letters} disabled={acting} onShow={setShown} onRedrive={redrive} onDiscard={discard} />
      ) : (
        data.places.every((p) => p.total === 0) && <Text data-testid="dead-none">There are none. What a worker cannot read, or has tried five times, would be here with its reason.</Text>
      )}

      {ours.length > 0 && (
        <section aria-labelledby={actsTitle}>
          <Title order={3} size="md" mt="sm" id={actsTitle}>What people did with dead letters</Title>
          <Acts acts={ours} on="The message" />
        </section>
      )}
      {shown && <LetterDialog letter={shown} disabled={acting} onRedrive={() => redrive(shown)} onDiscard={() => discard(shown)} onClose={() => setShown(undefined)} />}
      {question && <ActDialog {...question} onAct={(answer) => void perform(() => question.act(answer))} onClose={() => setQuestion(undefined)} />}
    </Stack>
  );
}

interface PlaceProps {
  listing: DeadListing;
  disabled: boolean;
  onAsk: (q: Question) => void;
  onCancel: () => void;
}

/** What is to be said of one place, and done with all that is there. */
function Place({ listing: { place, total, letters, moving, error }, disabled, onAsk, onCancel }: PlaceProps) {
  if (error) return <Text size="sm" c="fault" role="alert">✕ {place}: {error}</Text>;
  const hidden = total === null ? 0 : total - letters.length;

  if (moving?.status === "RUNNING" || moving?.status === "CANCELLING") {
    return (
      <Group gap="sm" data-testid={`moving-${place}`}>
        <Text size="sm" role="status">SQS moves {place} back: {whole(moving.moved)} of about {whole(moving.to_move)}{moving.rate > 0 && `, at most ${moving.rate} a second`}.</Text>
        <Button size="xs" variant="default" disabled={disabled || moving.status === "CANCELLING"} onClick={onCancel}>Cancel it</Button>
      </Group>
    );
  }
  if (letters.length === 0 && hidden <= 0) return null;

  return (
    <Group gap="sm">
      <Text size="sm"><b>{place}</b>: {total === null ? "?" : whole(total)}{hidden > 0 && `, of which ${whole(hidden)} are not shown: the list ends at 100, somebody else looks at them, or they stand behind others`}</Text>
      {place !== "outbox" && (
        <Button
          size="xs" variant="default" disabled={disabled} data-testid={`redrive-all-${place}`}
          onClick={() => onAsk({
            title: `Redrive all of ${place}`, action: "Redrive all", rate: 10,
            children: "SQS moves all of them back to their queue. What no worker can read, or is about a closed ride, comes back or does nothing.",
            act: ({ why, rate }) => admin.redriveAll(place, rate, why),
          })}
        >
          Redrive all…
        </Button>
      )}
    </Group>
  );
}

// The buttons stand beside what they act on: on a phone the rest is to be scrolled to.
const letterColumns = { Message: "left", Act: "left", "Why it is here": "left", "Its ride": "left", "A redrive": "left" } as const;

interface LettersProps {
  letters: DeadLetter[];
  disabled: boolean;
  onShow: (l: DeadLetter) => void;
  onRedrive: (l: DeadLetter) => void;
  onDiscard: (l: DeadLetter) => void;
}

function Letters({ letters, disabled, onShow, onRedrive, onDiscard }: LettersProps) {
  return (
    <WideTable label="Dead letters table" minWidth={900} columns={letterColumns}>
      {letters.map((l) => (
        <Table.Tr key={`${l.place} ${l.id}`} data-testid="dead-letter" data-value={l.id}>
          <Table.Td>
            <Anchor component="button" type="button" inherit ta="left" title={l.id} aria-label={`Show ${short(l.id)}`} aria-haspopup="dialog" data-testid="show" onClick={() => onShow(l)}>{short(l.id)}</Anchor>
            <Text size="xs" c="dimmed">{l.source}</Text>
            <Text size="xs" c="dimmed">{l.sent_at ? day(l.sent_at) : "?"}</Text>
          </Table.Td>
          <Table.Td>
            <Group gap="xs" className={classes.buttons}>
              <Button size="xs" variant="default" disabled={disabled} aria-label={`Redrive ${short(l.id)}`} data-testid="redrive" onClick={() => onRedrive(l)}>Redrive</Button>
              <Button size="xs" variant="outline" color="fault" disabled={disabled} aria-label={`Discard ${short(l.id)}`} data-testid="discard" onClick={() => onDiscard(l)}>Discard…</Button>
            </Group>
          </Table.Td>
          <Table.Td className={classes.text}>
            {visible(l.reason) || noReason}
            <Text size="xs" c="dimmed">{visible(l.about)}</Text>
          </Table.Td>
          <Table.Td>{rideText(l)}</Table.Td>
          <Table.Td className={classes.text}>{l.advice}</Table.Td>
        </Table.Tr>
      ))}
    </WideTable>
  );
}

function rideText({ ride }: DeadLetter) {
  if (!ride) return <Text span inherit c="dimmed">none</Text>;
  if (!ride.known) return `${short(ride.id)}: not known`;
  return <span title={ride.id}>{short(ride.id)}: {ride.state ?? "no such ride"}</span>;
}
