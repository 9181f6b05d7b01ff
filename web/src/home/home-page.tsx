import { Anchor, VisuallyHidden } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { ShownRide, TextFrame } from "../api/socket";
import { useLive, type Live } from "../api/use-live";
import { MapView, type MapHandle } from "../map/map-view";
import { boxIn } from "../map/projection";
import { ConnectionBanner } from "../ui/connection-banner";
import { Header, mainId } from "../ui/header";
import { Stale, useAge } from "../ui/stale";
import { cityBeside, noPadding } from "./city-view";
import { Deck } from "./deck";
import { Headline } from "./headline";
import classes from "./home-page.module.css";
import { NamedCar, useNamedCar } from "./named-car";
import { RideCaption } from "./ride-caption";
import { useIdle } from "./use-idle";
import { useSummary } from "./use-summary";
import { WatchRide } from "./watch-ride";

const idleAfter = 20_000; // ms without a person
const scene = { tails: true };
const box = boxIn(location.search);

/** The first page: the city, the difference in two sentences, and both sides of it at work. */
export default function HomePage() {
  const [ride, setRide] = useState<ShownRide>();
  const live = useLive("viewer", useCallback((text: TextFrame) => text.type === "shown_ride" && setRide(text.ride), []));
  const idle = useIdle(idleAfter);
  const age = useAge(live.heardAt);
  const followed = idle && age === "fresh" ? ride : undefined;

  const { followShown } = live;
  useEffect(() => {
    followShown(idle);
    if (!idle) setRide(undefined);
  }, [idle, followShown]);
  const { heard } = useSummary();
  const [since] = useState(Date.now);
  const phone = useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false });
  const map = useRef<MapHandle>(null);
  const named = useNamedCar(map, !phone || followed?.vehicle != null, followed?.vehicle ?? undefined);
  const stage = useRef<HTMLDivElement>(null);
  const [fit, setFit] = useState(box);
  useLayoutEffect(() => {
    if (!box && stage.current) setFit(cityBeside(stage.current.clientWidth, stage.current.clientHeight, phone));
  }, [phone]);

  return (
    <div className={classes.page}>
      <Header />
      <main id={mainId} tabIndex={-1} className={classes.main}>
        <div ref={stage} className={classes.stage}>
          <MapView ref={map} fleet={live.fleet} scene={scene} onView={live.setView} fit={fit} padding={noPadding} tracked={named.tracked} lowerEdgeCovered={false} />
          <ConnectionBanner live={live} />
          {named.tracked && <NamedCar named={named} />}
          <Headline away={followed !== undefined} />
          {followed && <RideCaption key={followed.n} ride={followed} />}
          <Cars live={live} />
        </div>
        <div className={classes.go}>
          <WatchRide />
          <Anchor href="/compare" className={classes.second} underline="never" data-testid="see-the-difference">See the difference</Anchor>
        </div>
        <Deck heard={heard} since={since} />
      </main>
    </div>
  );
}

/** What the map shows, for who hears the page. */
function Cars({ live }: { live: Live }) {
  return (
    <VisuallyHidden data-testid="cars-line">
      <Stale at={live.heardAt} of={live.cars} since>
        {(cars, stale) => <><span data-testid="cars">{cars}</span> cars in view{stale ? ", not heard from:" : ", live"}</>}
      </Stale>
    </VisuallyHidden>
  );
}
