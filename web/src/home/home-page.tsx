import { Button, Group, Paper, Text } from "@mantine/core";
import { useLive, type Live } from "../api/use-live";
import { MapView } from "../map/map-view";
import { boxIn } from "../map/projection";
import { ConnectionBanner } from "../ui/connection-banner";
import { Header, mainId } from "../ui/header";
import classes from "../ui/map-page.module.css";
import { Stale } from "../ui/stale";
import home from "./home-page.module.css";

const emptyScene = {};
const box = boxIn(location.search);

/** The moving map, before any login. */
export default function HomePage() {
  const live = useLive("viewer");

  return (
    <div className={classes.page}>
      <Header heading="Rides on a live map" />
      <main id={mainId} tabIndex={-1} className={classes.stage}>
        <MapView fleet={live.fleet} scene={emptyScene} onView={live.setView} fit={box} />
        <ConnectionBanner live={live} />
        <Paper className={classes.note} shadow="sm" px="md" py="xs">
          <Cars live={live} />
        </Paper>
        <Group gap="sm" className={home.go}>
          <Button component="a" href="/rider" size="md">Book a ride</Button>
          <Button component="a" href="/driver" size="md" variant="default">Drive</Button>
        </Group>
      </main>
    </div>
  );
}

function Cars({ live }: { live: Live }) {
  if (live.cars === undefined) return <Text size="sm" c="dimmed">Looking for cars…</Text>;

  return (
    <Text size="sm" data-testid="cars-line">
      <Stale at={live.heardAt} of={live.cars} since>
        {(cars, stale) => (
          <><Text span fw={650} inherit data-testid="cars">{cars}</Text> cars in view{stale ? ", not heard from:" : ", live"}</>
        )}
      </Stale>
    </Text>
  );
}
