import { Button, Group, Paper, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import type { Live } from "../api/use-live";
import classes from "./connection-banner.module.css";

const shownAfter = 1500; // ms; a shorter break is not worth a message
const tickInterval = 500; // ms

/** A message while the map is not live: it tells how old the positions are. */
export function ConnectionBanner({ live }: { live: Live }) {
  const [lostAt, setLostAt] = useState<number>();
  const [now, setNow] = useState(Date.now());

  useEffect(() => {
    if (live.connection === "live") return setLostAt(undefined);

    // From "lost" to "connecting" and back is still the same break.
    setLostAt((at) => at ?? Date.now());
    const timer = setInterval(() => setNow(Date.now()), tickInterval);

    return () => clearInterval(timer);
  }, [live.connection]);

  if (live.connection === "live" || lostAt === undefined || now - lostAt < shownAfter) return null;

  const age = Math.max(0, Math.round((now - live.lastAt) / 1000));

  return (
    <Paper className={classes.banner} shadow="md" p="xs" px="md" role="status" data-testid="connection-lost">
      <Group gap="sm" wrap="nowrap">
        <Text size="sm">
          <Text span fw={600} inherit>The live map is not connected.</Text>{" "}
          {live.lastAt ? `The last update came ${age} s ago.` : "No update has come yet."} The page tries again by itself.
        </Text>
        <Button size="xs" variant="light" onClick={live.retryNow}>Try now</Button>
      </Group>
    </Paper>
  );
}
