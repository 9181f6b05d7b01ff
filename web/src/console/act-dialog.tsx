import { Button, Group, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import classes from "./dead-letters.module.css";

const leastWhy = 3, mostWhy = 500; // characters, as the server asks for

export interface Asked {
  title: string;
  children: ReactNode; // what it does
  action: string; // the button's word
  needsWhy?: boolean;
  rate?: number; // asked for, with this one proposed
  since?: Date; // likewise a time of the past
}

export interface Answered {
  why: string;
  rate: number;
  since: Date;
}

interface Props extends Asked {
  onAct: (answer: Answered) => void;
  onClose: () => void;
}

/** A time as an input of that type has it: in the browser's zone, to the second. */
const localTime = (t: Date) => new Date(t.getTime() - t.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);

/** Asks once more before something is done that nobody can undo, and why. */
export function ActDialog({ title, children, action, needsWhy = false, rate: proposed, since: ago, onAct, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [why, setWhy] = useState("");
  const [rate, setRate] = useState(String(proposed ?? 0));
  const [since, setSince] = useState(ago ? localTime(ago) : "");

  // A native dialog keeps the focus inside, closes on Escape, and returns the focus.
  useEffect(() => {
    const el = dialog.current;
    if (el && !el.open) el.showModal();
  }, []);

  const missing = needsWhy && [...why.trim()].length < leastWhy;
  const rateWrong = proposed !== undefined && !(Number.isInteger(Number(rate)) && Number(rate) >= 1 && Number(rate) <= 500);
  const sinceWrong = ago !== undefined && !(Date.parse(since) <= Date.now());
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (missing || rateWrong || sinceWrong) return;
    dialog.current?.close();
    onAct({ why: why.trim(), rate: Number(rate), since: new Date(since) });
  };

  return (
    <dialog ref={dialog} className={classes.dialog} aria-label={title} onClose={onClose} data-testid="act-dialog">
      <Stack component="form" gap="sm" p="md" onSubmit={submit}>
        <Text fw={600}>{title}</Text>
        <Text size="sm">{children}</Text>
        {proposed !== undefined && (
          <TextInput type="number" label="How many a second (1 to 500)" min={1} max={500} step={1} required value={rate} onChange={(e) => setRate(e.currentTarget.value)} data-testid="act-rate" />
        )}
        {ago && (
          <TextInput type="datetime-local" label="Since when (in your time zone)" step={1} max={localTime(new Date())} required value={since} onChange={(e) => setSince(e.currentTarget.value)} data-testid="act-since" />
        )}
        <Textarea
          label={needsWhy ? "Why" : "Why (if you like)"} description={needsWhy ? `${leastWhy} to ${mostWhy} characters: it is all that anybody will know of the reason.` : undefined}
          required={needsWhy} maxLength={mostWhy} minRows={2} autosize value={why} onChange={(e) => setWhy(e.currentTarget.value)} data-testid="act-why"
        />
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={() => dialog.current?.close()}>Back</Button>
          <Button type="submit" disabled={missing || rateWrong || sinceWrong} data-testid="act-submit">{action}</Button>
        </Group>
      </Stack>
    </dialog>
  );
}
