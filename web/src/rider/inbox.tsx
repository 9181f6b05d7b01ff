import { Group, Stack, Text } from "@mantine/core";
import { rider } from "../api/client";
import { clock } from "../api/format";
import type { Message } from "../api/types";
import { usePoll, type Poll } from "../api/use-poll";
import { Since } from "../ui/stale";

const interval = 2000; // ms

interface Messages {
  messages: Message[];
}

export const useInbox = (): Poll<Messages> => usePoll(rider.inbox, interval);

/** The messages that the rider got about a ride. */
export function Inbox({ inbox, rideId }: { inbox: Poll<Messages>; rideId: string }) {
  const mine = (inbox.data?.messages ?? []).filter((m) => m.ride_id === rideId);
  if (mine.length === 0) return null;

  return (
    <Stack gap={4} component="section" aria-label="Messages" data-testid="inbox">
      <Text size="sm" fw={600}>Messages <Since at={inbox.askedAt} /></Text>
      {mine.map((m) => (
        <Group key={m.id} justify="space-between" wrap="nowrap" gap="xs" align="baseline">
          <Text size="sm" data-testid="message">{m.text}</Text>
          <Text size="xs" c="dimmed">{clock(m.at)}</Text>
        </Group>
      ))}
    </Stack>
  );
}
