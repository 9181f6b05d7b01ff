import { Button, Group, Paper, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import type { Live } from "../api/use-live";
import classes from "./connection-banner.module.css";
import { useAge, useSeconds } from "./stale";

const shownAfter = 1500; // ms; a shorter break is not worth a message

/** A message while the map is not of now: why, and how old the positions are. */
export function ConnectionBanner({ live }: { live: Live }) {
  const broken = useBroken(live);
  const heard = useAge(live.heardAt);
  const frames = useAge(live.lastFrameAt);
  const seconds = useSeconds(live.heardAt);

  const trouble = troubleOf(live, broken, frames === "fresh", heard === "fresh");
  if (!trouble) return null;

  // What is lost is the sight of the cars, not the cars: they are shown where they were.
  const cars = seconds === undefined ? "No car has been heard from yet." : `Cars are not heard from for ${seconds} s: they are shown where they were.`;

  return (
    <Paper className={classes.banner} shadow="md" p="xs" px="md" role="status" data-testid="connection-lost">
      <Group gap="sm" wrap="nowrap">
        <Text size="sm"><Text span fw={600} inherit>{trouble.what}</Text> {cars} {trouble.hope}</Text>
        {trouble.action && <Button size="xs" variant="white" flex="none" onClick={trouble.action.run}>{trouble.action.name}</Button>}
      </Group>
    </Paper>
  );
}

interface Trouble {
  what: string;
  hope: string;
  action?: { name: string; run: () => void };
}

function troubleOf(live: Live, broken: boolean, frames: boolean, heard: boolean): Trouble | undefined {
  if (live.unreadable) {
    const reload = { name: "Reload", run: () => location.reload() };
    return { what: "This page cannot read what the map sends.", hope: "Reload the page.", action: reload };
  }

  const action = { name: "Try now", run: live.retryNow };
  if (live.connection !== "live") {
    return broken ? { what: "The live map is not connected.", hope: "The page tries again by itself.", action } : undefined;
  }
  if (live.lastFrameAt() === undefined) return undefined; // the first frame is on its way
  if (!frames) return { what: "The live map says nothing.", hope: "The page connects again by itself.", action };
  if (!heard) return { what: "The stream is silent.", hope: "The map goes on by itself when it speaks again." };

  return undefined;
}

/** Whether the connection has been lost for long enough to say so. */
function useBroken(live: Live): boolean {
  const [broken, setBroken] = useState(false);
  const lost = live.connection !== "live";

  // From "lost" to "connecting" and back is still the same break.
  useEffect(() => {
    setBroken(false);
    if (!lost) return;

    const timer = setTimeout(() => setBroken(true), shownAfter);

    return () => clearTimeout(timer);
  }, [lost]);

  return broken;
}
