import { useEffect, useMemo, useRef, useState, type RefObject } from "react";
import type { MapHandle } from "../map/map-view";
import type { ShownCar } from "../map/shown-cars";
import { choose, stays } from "./choose-car";
import classes from "./home-page.module.css";

export interface Named {
  tracked: { vehicle: number; show: (car: ShownCar | undefined) => void } | undefined;
  ring: RefObject<HTMLDivElement | null>;
  points: number;
  ofRide: boolean; // it is the car of the ride that is followed
}

const lookEvery = 1000; // ms

/**
 * One car that is ringed and named, where the words beside it cover nothing. Another one
 * when it has driven away. A car that is asked for is ringed wherever it is,
 * and has words where there is room for them.
 */
export function useNamedCar(map: RefObject<MapHandle | null>, wanted: boolean, asked: number | undefined): Named {
  const [chosen, setVehicle] = useState<number>();
  const [points, setPoints] = useState(0);
  const ring = useRef<HTMLDivElement>(null);
  const seen = useRef<ShownCar>(undefined);

  useEffect(() => {
    if (!wanted) return setVehicle(undefined);

    const timer = setInterval(() => {
      const stage = ring.current?.parentElement ?? document.querySelector<HTMLElement>("[data-testid=fleet]");
      const size = { width: stage?.clientWidth ?? 0, height: stage?.clientHeight ?? 0 };
      const now = seen.current;
      const words = now && stays(now, size) ? now.points.length : 0;
      if (asked !== undefined || words) return setPoints(words);

      seen.current = undefined;
      setVehicle(choose(map.current?.cars() ?? [], size)?.vehicle);
    }, lookEvery);

    return () => clearInterval(timer);
  }, [map, wanted, asked]);

  const vehicle = asked ?? chosen;
  const tracked = useMemo(() => {
    if (vehicle === undefined) return undefined;
    return {
      vehicle,
      show(car: ShownCar | undefined) {
        seen.current = car;
        const el = ring.current;
        if (!el) return;
        el.hidden = !car;
        if (car) el.style.transform = `translate(${car.x.toFixed(1)}px, ${car.y.toFixed(1)}px)`;
      },
    };
  }, [vehicle]);

  return { tracked, ring, points, ofRide: asked !== undefined };
}

/** The ring, and what a car is. */
export function NamedCar({ named: { ring, points, ofRide } }: { named: Named }) {
  return (
    <div ref={ring} hidden className={classes.named} data-testid="named-car">
      <svg width={48} height={88} viewBox="-24 -24 48 88" aria-hidden>
        <circle r={22} fill="none" stroke="currentColor" />
        <path d="M0 22V60" stroke="currentColor" />
      </svg>
      {points > 0 && (
        <p>
          {ofRide ? "the car of this ride" : "one driver"}, <span className="stream">its last <span data-testid="named-points">{points}</span> points</span>
          <br />
          in the order they were sent
        </p>
      )}
    </div>
  );
}
