import { Button, Group, Paper, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import type { Live } from "../api/use-live";
import classes from "./link-banner.module.css";

const patience = 1500; // a short break is not worth a word

/** Says when the map is not live, and how old is what it shows. */
export function LinkBanner({ live }: { live: Live }) {
  const [since, setSince] = useState<number>();
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (live.link === "live") return setSince(undefined);
    setSince((s) => s ?? Date.now());
    const tick = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(tick);
  }, [live.link]);
  if (live.link === "live" || since === undefined || now - since < patience) return null;
  const age = live.lastAt ? `Last update ${Math.max(0, Math.round((now - live.lastAt) / 1000))} s ago.` : "Nothing has come yet.";
  return (
    <Paper className={classes.banner} shadow="md" p="xs" px="md" role="status" data-testid="link-lost">
      <Group gap="sm" wrap="nowrap">
        <Text size="sm"><Text span fw={600} inherit>The live map is not connected.</Text> {age} Trying again.</Text>
        <Button size="xs" variant="light" onClick={live.retryNow}>Try now</Button>
      </Group>
    </Paper>
  );
}
