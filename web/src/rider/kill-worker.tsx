import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { admin, Problem } from "../api/client";
import type { RideWorker } from "../api/types";
import { useSignedIn } from "../ui/use-signed-in";
import classes from "./kill-worker.module.css";

interface Props {
  ride: string;
  worker: RideWorker; // asked for again and again: a death is seen in it, whoever caused it
}

/**
 * Kill -9 of the worker that holds the ride's message, beside the message's rail while
 * it is in flight. That is an operator's act: whoever is none here reads how to become one.
 */
export default function KillWorker({ ride, worker: { holder, killable, instead, killed } }: Props) {
  const isAdmin = useSignedIn("admin");

  if (!holder) return <Nobody killed={killed?.pid} />;
  if (!killable) return <Instead command={instead ?? ""} />;
  if (!isAdmin) return <SignInFirst />;

  return <KillButton key={`${holder.pid} ${holder.message_id}`} ride={ride} holder={holder} />;
}

/** The message is in flight, and no worker says that it has it. */
function Nobody({ killed }: { killed: number | undefined }) {
  return (
    <Text size="xs" c="dimmed" className={classes.slot} data-testid="nobody-holds">
      {killed && <span className={classes.fault}>✕ pid {killed} is killed. </span>}No worker holds the message.
    </Text>
  );
}

function Instead({ command }: { command: string }) {
  return (
    <Text size="xs" c="dimmed" className={classes.slot} data-testid="kill-instead">
      The workers are no processes of this machine. This kills them: <b>{command}</b>
    </Text>
  );
}

function SignInFirst() {
  return (
    <Text size="xs" c="dimmed" className={classes.slot} data-testid="kill-sign-in">
      To kill the worker that holds it, <Anchor href="/admin" target="tandem-console" inherit>sign in as an operator</Anchor> and come back.
    </Text>
  );
}

interface ButtonProps {
  ride: string;
  holder: NonNullable<RideWorker["holder"]>;
}

function KillButton({ ride, holder: { pid, others } }: ButtonProps) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();

  // The page names the ride. Which process that is, the server asks the workers again.
  // The button is busy until it goes, with the next answer about the holder.
  const kill = () => {
    setBusy(true);
    admin
      .killWorker(ride)
      .catch((e: unknown) => [setRefusal(e instanceof Problem ? e.detail : "Something went wrong on this page."), setAsking(false), setBusy(false)]);
  };

  if (!asking) {
    return (
      <Stack gap={4} className={classes.slot}>
        <Button variant="outline" color="fault" onClick={() => setAsking(true)} data-testid="kill-worker" data-value={pid}>✕ Kill my worker</Button>
        {refusal && <Text size="xs" c="dimmed" role="status">{refusal}</Text>}
      </Stack>
    );
  }
  return (
    <Stack gap="xs" className={classes.slot} role="group" aria-label={`Kill pid ${pid}?`}>
      <Text size="xs">
        kill -9 {pid}, now?{others > 0 && ` It holds ${others === 1 ? "another ride's message" : `${others} other rides' messages`} too.`}
      </Text>
      <Group gap="xs" wrap="nowrap">
        <Button variant="outline" color="fault" loading={busy} onClick={kill} data-testid="kill-confirm">✕ Kill it</Button>
        <Button variant="subtle" autoFocus onClick={() => setAsking(false)}>No</Button>
      </Group>
    </Stack>
  );
}
