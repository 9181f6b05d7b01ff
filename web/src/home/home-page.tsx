import { Button, Group, Paper, Text } from "@mantine/core";
import { useLive, type Live } from "../api/use-live";
import { MapView } from "../map/map-view";
import { ConnectionBanner } from "../ui/connection-banner";
import { Header } from "../ui/header";
import classes from "../ui/map-page.module.css";
import home from "./home-page.module.css";

const emptyScene = {};
const staleAfter = 5000; // ms

/** The moving map, before any login. */
export default function HomePage() {
  const live = useLive("viewer");

  return (
    <div className={classes.page}>
      <Header>
        <Group gap="xs" wrap="nowrap" component="nav" aria-label="Roles" className={home.nav}>
          <Button component="a" href="/rider">Book a ride</Button>
          <Button component="a" href="/driver" variant="default">Drive</Button>
          <Button component="a" href="/admin" variant="default">Queue and stream</Button>
        </Group>
      </Header>

      <main className={classes.stage}>
        <MapView fleet={live.fleet} scene={emptyScene} onView={live.setView} />
        <ConnectionBanner live={live} />
        <Paper className={classes.note} shadow="sm" px="md" py="xs">
          <Cars live={live} />
        </Paper>
      </main>
    </div>
  );
}

function Cars({ live }: { live: Live }) {
  if (live.lastAt === 0) return <Text size="sm" c="dimmed">Looking for cars…</Text>;

  // useLive counts the cars each second, so the age is drawn again as often.
  const age = Date.now() - live.lastAt;
  const fresh = live.connection === "live" && age < staleAfter;

  return (
    <Text size="sm">
      <Text span fw={650} inherit data-testid="cars">{live.cars}</Text> cars in view, {fresh ? "live" : `but the last update came ${Math.round(age / 1000)} s ago`}
    </Text>
  );
}
