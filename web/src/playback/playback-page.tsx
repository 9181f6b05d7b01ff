import { Container, Paper } from "@mantine/core";
import { useCallback, useEffect, useRef, useState } from "react";
import { admin, Problem } from "../api/client";
import { MapView, type MapHandle } from "../map/map-view";
import { boxIn } from "../map/projection";
import { Header, mainId } from "../ui/header";
import { ProblemNote } from "../ui/problem-note";
import { SignIn, useSession } from "../ui/sign-in";
import { useKeptFocus } from "../ui/use-kept-focus";
import { Bar } from "./bar";
import classes from "./playback-page.module.css";
import { usePlayer } from "./use-player";

const scene = { tails: true };
const box = boxIn(location.search);
const first = 5; // minutes, before anybody has chosen

/** What all drivers did, played back on the map from what history has kept. */
export default function PlaybackPage() {
  const session = useSession("admin");
  const main = useRef<HTMLDivElement>(null);
  const keepFocus = useKeptFocus(main);

  return (
    <div className={classes.page}>
      <Header heading="Playback" onSignOut={session.signOut} />
      <main ref={main} {...keepFocus} id={mainId} tabIndex={-1} className={classes.main}>
        {session.subject ? (
          <Playback />
        ) : (
          <Container w="100%" px="md" py="lg">
            <Paper maw={420} mx="auto" mt="xl" p="lg" shadow="sm">
              <SignIn session={session} title="Playback" action="Become an admin">
                One click makes you an admin of this demo. You can then play back what all drivers did in the last hour.
              </SignIn>
            </Paper>
          </Container>
        )}
      </main>
    </div>
  );
}

function Playback() {
  const map = useRef<MapHandle>(null);
  const [player, playing, draw] = usePlayer(map);
  const [minutes, setMinutes] = useState(first);
  const asked = useRef(0);

  const choose = useCallback(async (last: number) => {
    const mine = ++asked.current; // of two choices the later one counts
    setMinutes(last);
    const to = await serverTime();
    if (mine === asked.current) player.choose({ from: to - last * 60_000, to });
  }, [player]);
  useEffect(() => void choose(first), [choose]);

  return (
    <>
      <div className={classes.stage}>
        <MapView ref={map} fleet={player.fleet} now={player.time} scene={scene} onView={player.setView} fit={box} lowerEdgeCovered={false} />
        <div className={classes.note}>
          <Trouble error={playing.error} onRetry={() => void choose(minutes)} />
        </div>
      </div>
      <Bar player={player} playing={playing} onDone={draw} minutes={minutes} onMinutes={(last) => void choose(last)} />
    </>
  );
}

/** The server's clock, as ours may be wrong. Without the console's answer ours has to do. */
const serverTime = () => admin.overview().then((o) => Date.parse(o.at), () => Date.now());

function Trouble({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  if (error instanceof Problem && error.temporary) return <ProblemNote error={error} retried />;

  const gone = error instanceof Problem && error.status === 410;
  return <ProblemNote error={gone ? new Problem(410, `${error.detail} Choose a shorter span.`) : error} onRetry={onRetry} />;
}
