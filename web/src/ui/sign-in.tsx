import { Button, Stack, Text, Title } from "@mantine/core";
import { useEffect, useState, type ReactNode } from "react";
import { Problem, signedOut, signIn, signOut, whoAmI } from "../api/client";
import type { Role } from "../api/types";
import { ProblemNote } from "./problem-note";

export interface Session {
  subject: string | undefined;
  checking: boolean;
  busy: boolean;
  error: unknown;
  signIn: () => void;
  signOut: (() => void) | undefined; // undefined: nobody has signed in
}

const hasEnded = "Your session has ended. Sign in again: you begin as somebody new, and what was yours stays as it is.";

/** Who this browser is in a role. One click signs it in as somebody new. */
export function useSession(role: Role): Session {
  const [subject, setSubject] = useState<string>();
  const [checking, setChecking] = useState(true);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  useEffect(() => {
    whoAmI(role)
      .then((s) => setSubject(s?.subject))
      .catch(setError)
      .finally(() => setChecking(false));
  }, [role]);

  // A session may end on an open page: it has its term, and another tab can sign out.
  // Who one is, is asked again: the request may have been one of before the sign-in.
  useEffect(() => {
    const check = () => {
      whoAmI(role).then((s) => {
        setSubject(s?.subject);
        if (!s) setError(new Problem(401, hasEnded));
      }, () => undefined);
    };
    signedOut.addEventListener(role, check);

    return () => signedOut.removeEventListener(role, check);
  }, [role]);

  const enter = () => {
    setBusy(true);
    setError(undefined);

    signIn(role)
      .then((s) => setSubject(s.subject))
      .catch(setError)
      .finally(() => setBusy(false));
  };

  // The map's page is loaded anew, so that nothing of this person stays in the tab.
  const leave = () => {
    signOut(role)
      .then(() => location.assign("/"))
      .catch(setError);
  };

  return { subject, checking, busy, error, signIn: enter, signOut: subject ? leave : undefined };
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
