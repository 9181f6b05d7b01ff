import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { admin, Problem, rider } from "../api/client";
import type { Ride, RideWorker } from "../api/types";
import { usePoll } from "../api/use-poll";
import { useSignedIn } from "../ui/use-signed-in";
import classes from "./kill-worker.module.css";

const interval = 1000; // ms

interface Props {
  ride: Ride;
  killed: string | undefined; // the pid that was killed
  onKilled: (pid: string) => void;
}

/**
 * Kill -9 of the worker that holds the ride's message, beside the message's rail while
 * it is in flight. That is an operator's act: whoever is none here reads how to become one.
 */
export default function KillWorker({ ride, killed, onKilled }: Props) {
  const { data } = usePoll(() => rider.worker(ride.id), interval);
  const isAdmin = useSignedIn("admin");

  // Another page may have asked for it: the death is seen here as well.
  const dead = data?.killed?.pid;
  useEffect(() => {
    if (dead !== undefined) onKilled(String(dead));
  }, [dead]);
  if (!data) return null;

  const { holder } = data;
  if (!holder) return <Nobody killed={killed} />;
  if (!data.killable) return <Instead command={data.instead ?? ""} />;
  if (!isAdmin) return <SignInFirst />;

  return <KillButton key={`${holder.pid} ${holder.message_id}`} ride={ride.id} holder={holder} onKilled={onKilled} />;
}

/** The message is in flight, and no worker says that it has it. */
function Nobody({ killed }: { killed: string | undefined }) {
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
  onKilled: (pid: string) => void;
}

function KillButton({ ride, holder: { pid, others }, onKilled }: ButtonProps) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();

  // The page names the ride. Which process that is, the server asks the workers again.
  const kill = () => {
    setBusy(true);
    admin
      .killWorker(ride)
      .then((k) => onKilled(String(k.pid)))
      .catch((e: unknown) => [setRefusal(e instanceof Problem ? e.detail : "Something went wrong on this page."), setAsking(false)])
      .finally(() => setBusy(false));
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
