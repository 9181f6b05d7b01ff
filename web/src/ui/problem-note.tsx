import { Alert, Button, Stack, Text } from "@mantine/core";
import { Problem } from "../api/client";

interface Props {
  error: unknown;
  onRetry?: (() => void) | undefined;
  retried?: boolean; // whoever shows this tries again by itself
}

/** What went wrong, in the server's words, and a button to try again where that can help. */
export function ProblemNote({ error, onRetry, retried }: Props) {
  if (!error) return null;

  // Any other error is a fault of this page: its text would help no reader.
  const detail = error instanceof Problem ? error.detail : "Something went wrong on this page. Please reload it.";

  return (
    <Alert icon={<Text span inherit c="fault">✕</Text>} role="alert" data-testid="problem">
      <Stack gap="xs" align="flex-start">
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>{detail}{retried && " The page tries again by itself."}</Text>
        {onRetry && <Button size="xs" variant="default" onClick={onRetry}>Try again</Button>}
      </Stack>
    </Alert>
  );
}
