import { ActionIcon, Anchor, Paper, Text, useComputedColorScheme } from "@mantine/core";
import { lazy, Suspense, useCallback, useEffect, useImperativeHandle, useRef, useState, type Ref } from "react";
import type { BaseMap, BaseMapHandlers, Padding } from "./base";
import type { Fleet } from "./fleet";
import { cityMap } from "./city-map";
import { Crowd } from "./crowd";
import { givingWay } from "./give-way";
import { PinHandle } from "./pin-handle";
import { ageOf } from "../api/age";
import { Sheet } from "../ui/sheet";
import { boundsOf, type Bounds, type LatLon, type Projection } from "./projection";
import { drawScene, type Scene } from "./scene";
import { shownCar, shownCars, type ShownCar } from "./shown-cars";
import classes from "./map-view.module.css";

// The list is for few, and the map for all: it is fetched when it is asked for.
const CarsList = lazy(() => import("./cars-list").then((m) => ({ default: m.CarsList })));

export type End = "pickup" | "dropoff";

/** What a page may ask the map. */
export interface MapHandle {
  cars(): ShownCar[]; // those that lie within the map's edges; none while nothing is heard
}

interface Props {
  ref?: Ref<MapHandle> | undefined;
  fleet: Fleet;
  now?: (() => number) | undefined; // the time that is shown, in ms; by default it is now
  scene: Scene;
  onView: (view: Bounds) => void;
  onPick?: ((place: LatLon) => void) | undefined; // a click on the map chooses a place
  onDrag?: ((end: End, place: LatLon) => void) | undefined; // the pins can be dragged, and this one was: the scene has it there from now on
  tracked?: { vehicle: number; show: (car: ShownCar | undefined) => void } | undefined; // told with each frame that is drawn
  fit?: Bounds | undefined; // the map moves there when this becomes another object
  padding?: Padding | undefined;
  lowerEdgeCovered?: boolean | undefined; // the zoom buttons and the credit go to the upper edge; undefined: on a phone
}

const noPadding: Padding = { top: 90, bottom: 60, left: 60, right: 60 };

/** The live map: a base map below, vehicles and pins on a canvas above. */
export function MapView({ ref, fleet, now = Date.now, scene, onView, onPick, onDrag, tracked, fit, padding = noPadding, lowerEdgeCovered }: Props) {
  const isDark = useComputedColorScheme("light") === "dark";
  const baseEl = useRef<HTMLDivElement>(null);
  const canvasEl = useRef<HTMLCanvasElement>(null);
  const base = useRef<BaseMap>(null);

  // A reference, so that a new scene or callback does not open a new map.
  const latest = useRef({ scene, onView, onPick, isDark, tracked });
  useEffect(() => {
    latest.current = { scene, onView, onPick, isDark, tracked };
  });

  // A pin that is dragged is drawn where it is held until the scene has it there. Its way is another one.
  const held = useRef<{ end: End; place: LatLon }>(undefined);
  useEffect(() => {
    held.current = undefined;
  }, [scene.pickup, scene.dropoff]);

  const [plain, setPlain] = useState(false);
  const projection = useCallback(() => base.current?.projection(), []);
  const [eachFrame] = useState(() => new Set<() => void>());
  useImperativeHandle(ref, () => ({
    cars() {
      const p = projection();
      return p ? shownCars(fleet, p, now()) : [];
    },
  }), [fleet, projection, now]);

  useEffect(() => {
    const [el, canvas] = [baseEl.current, canvasEl.current];
    if (!el || !canvas) return;
    const handlers: BaseMapHandlers = {
      onMoved: () => base.current && latest.current.onView(boundsOf(base.current.projection())),
      onClicked: (place) => latest.current.onPick?.(place),
      onPlain: () => setPlain(true),
    };
    const map = cityMap(el, latest.current.isDark, handlers);
    base.current = map;
    handlers.onMoved(); // the first view, before anything moves

    const stop = drawEachFrame(canvas, map, fleet, now, () => {
      const { scene, isDark } = latest.current;
      const { end, place } = held.current ?? {};
      return { scene: end ? { ...scene, [end]: place, [`${end}Label`]: undefined, route: undefined } : scene, isDark };
    }, (p, now) => {
      eachFrame.forEach((listener) => listener());
      const { tracked } = latest.current;
      tracked?.show(shownCar(fleet, p, tracked.vehicle, now));
    });

    return () => {
      stop();
      map.remove();
      base.current = null;
    };
  }, [fleet, now, eachFrame]);

  useEffect(() => {
    base.current?.setDark(isDark);
  }, [isDark]);

  // A reference as well: new padding alone must not move the map under the reader.
  const latestPadding = useRef(padding);
  latestPadding.current = padding;
  useEffect(() => {
    if (fit) base.current?.fit(fit, latestPadding.current);
  }, [fit]);

  return (
    <div className={classes.frame} data-picking={onPick ? true : undefined} data-lower-edge-covered={lowerEdgeCovered}>
      <div ref={baseEl} className={classes.base} data-testid="base" />
      <canvas ref={canvasEl} className={classes.over} aria-hidden data-testid="fleet" />

      {onDrag && (["pickup", "dropoff"] as const).map((end) => {
        const at = scene[end];

        return at && (
          <PinHandle
            key={end} name={`Move the ${end}: drag it, or press the arrow keys`} at={at} projection={projection} eachFrame={eachFrame}
            onHold={(place) => (held.current = { end, place })} onDrop={(place) => onDrag(end, place)}
          />
        );
      })}

      <Paper className={classes.zoom} shadow="sm">
        <ActionIcon variant="subtle" aria-label="Zoom in" onClick={() => base.current?.zoomBy(1)}>+</ActionIcon>
        <ActionIcon variant="subtle" aria-label="Zoom out" onClick={() => base.current?.zoomBy(-1)}>−</ActionIcon>
        <Sheet name="As a list" of="Cars" icon={<ListMark />}><Suspense><CarsList fleet={fleet} clock={now} projection={projection} /></Suspense></Sheet>
      </Paper>

      <Text className={classes.credit} size="xs">
        {plain && "Plain streets, as this browser has no WebGL 2 · "}
        <Anchor href="https://www.openstreetmap.org/copyright" target="_blank" rel="noreferrer" inherit c="inherit" underline="hover" className="target">© OpenStreetMap contributors</Anchor>
      </Text>
    </div>
  );
}

const ListMark = () => (
  <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden stroke="currentColor" strokeWidth="1.6" strokeLinecap="round">
    <path d="M3 4.5h.01M3 9h.01M3 13.5h.01M6.5 4.5H15M6.5 9H15M6.5 13.5H15" />
  </svg>
);

/** Draws fleet and scene on each of the browser's frames; returns how to stop. */
function drawEachFrame(
  canvas: HTMLCanvasElement, map: BaseMap, fleet: Fleet, clock: () => number, latest: () => { scene: Scene; isDark: boolean }, onDrawn: (p: Projection, now: number) => void,
): () => void {
  const ctx = canvas.getContext("2d");
  const crowd = new Crowd();
  const noMotion = matchMedia("(prefers-reduced-motion: reduce)");
  const way = givingWay(canvas.parentElement ?? canvas, () => undefined); // the next frame comes anyway
  let next = 0;

  const draw = () => {
    next = requestAnimationFrame(draw);
    if (way.busy()) return;

    // A canvas is emptied and allocated again when its size is set: only where it changed.
    const p = map.projection();
    const ratio = devicePixelRatio;
    if (canvas.width !== Math.round(p.width * ratio) || canvas.height !== Math.round(p.height * ratio)) {
      canvas.width = Math.round(p.width * ratio);
      canvas.height = Math.round(p.height * ratio);
    }
    // Cars that drive over nothing, before there is a map, would look broken.
    if (!ctx || !map.drawn()) return;

    const now = clock();
    fleet.sweep();
    fleet.still = noMotion.matches;

    const { scene, isDark } = latest();
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawScene(ctx, p, fleet, scene, isDark, now, crowd);
    if (fleet.size > 0) map.settled();
    canvas.dataset.vehicles = String(fleet.size);
    canvas.dataset.age = ageOf(fleet.heardAt, now);
    onDrawn(p, now);
  };
  draw();

  return () => {
    way.stop();
    cancelAnimationFrame(next);
  };
}
