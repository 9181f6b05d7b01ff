import { useCallback, useEffect, useState, type RefObject } from "react";
import { admin } from "../api/client";
import { Fleet } from "../map/fleet";
import type { MapHandle } from "../map/map-view";
import { Player, silentFor, type Shown } from "./player";

const drawAgain = 100; // ms; the canvas reads the fleet by itself

export interface Playing extends Shown {
  cars: number | undefined; // on the map; undefined: not known
}

/** A player that runs while the page is seen, what it shows, and how to show at once what was done to it. */
export function usePlayer(map: RefObject<MapHandle | null>): [Player, Playing, () => void] {
  const [player] = useState(() => new Player(new Fleet(silentFor), admin.playback));
  const [playing, setPlaying] = useState<Playing>({ ...player.shown(), cars: undefined });

  const draw = useCallback(() => {
    const shown = { ...player.shown(), cars: player.ready ? map.current?.cars().length : undefined };
    setPlaying((old) => (equal(old, shown) ? old : shown));
  }, [player, map]);

  useEffect(() => {
    let next = 0;
    let drawnAt = -Infinity;

    const frame = (now: number) => {
      next = requestAnimationFrame(frame);
      player.tick(now);
      if (now - drawnAt < drawAgain) return;

      drawnAt = now;
      draw();
    };
    next = requestAnimationFrame(frame);

    return () => {
      cancelAnimationFrame(next);
      player.reopen();
    };
  }, [player, draw]);

  return [player, playing, draw];
}

const equal = (a: Playing, b: Playing) => (Object.keys(b) as (keyof Playing)[]).every((key) => a[key] === b[key]);
