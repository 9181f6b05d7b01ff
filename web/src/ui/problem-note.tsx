import { Alert, Button, Stack, Text } from "@mantine/core";
import { Problem } from "../api/client";

/** What went wrong, in the server's words, and what to do next. */
export function ProblemNote({ error, again, label = "Try again" }: { error: unknown; again?: () => void; label?: string }) {
  if (!error) return null;
  const detail = error instanceof Problem ? error.detail : "Something on this page went wrong. Reload it.";
  return (
    <Alert color="red" variant="light" role="alert" data-testid="problem">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{detail}</Text>
        {again && <Button size="xs" variant="default" onClick={again}>{label}</Button>}
      </Stack>
    </Alert>
  );
}
