import { Button, Stack, Text, Title } from "@mantine/core";
import { useEffect, useState, type ReactNode } from "react";
import { Problem, signIn, whoAmI } from "../api/client";
import type { Role } from "../api/types";
import { ProblemNote } from "./problem-note";

interface Session {
  subject: string | undefined;
  checking: boolean;
  busy: boolean;
  error: unknown;
  signIn: () => void;
}

/** Who this browser is in a role. One click signs it in as somebody new. */
export function useSession(role: Role): Session {
  const [subject, setSubject] = useState<string>();
  const [checking, setChecking] = useState(true);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  useEffect(() => {
    whoAmI(role)
      .then((s) => setSubject(s.subject))
      .catch((e: unknown) => {
        // 401 is no fault: nobody has signed in here yet.
        if (!(e instanceof Problem && e.status === 401)) setError(e);
      })
      .finally(() => setChecking(false));
  }, [role]);

  const enter = () => {
    setBusy(true);
    setError(undefined);

    signIn(role)
      .then((s) => setSubject(s.subject))
      .catch(setError)
      .finally(() => setBusy(false));
  };

  return { subject, checking, busy, error, signIn: enter };
}

interface Props {
  session: Session;
  title: string;
  action: string;
  children: ReactNode;
}

export function SignIn({ session, title, action, children }: Props) {
  return (
    <Stack gap="sm" align="stretch">
      <Title order={2} size="h3">{title}</Title>
      <Text size="sm" c="dimmed">{children}</Text>
      <ProblemNote error={session.error} />
      <Button size="md" loading={session.busy || session.checking} onClick={session.signIn} data-testid="sign-in">{action}</Button>
    </Stack>
  );
}
