import { ActionIcon, Anchor, Paper, Text, useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import type { BaseMap, Padding } from "./base";
import type { Fleet } from "./fleet";
import { glMap } from "./gl";
import { plainMap } from "./plain";
import { boundsOf, type Bounds, type LatLon } from "./projection";
import { drawScene, type Scene } from "./scene";
import classes from "./map-view.module.css";

interface Props {
  fleet: Fleet;
  scene: Scene;
  onView: (view: Bounds) => void;
  onPick?: (place: LatLon) => void;
  picking?: boolean;
  fit?: Bounds | undefined; // moves there when it becomes another object
  padding?: Padding;
  strip?: boolean; // something lies along the lower edge: controls and credit go up
}

const noPadding: Padding = { top: 90, bottom: 60, left: 60, right: 60 };

/** The live map: base map below, vehicles and pins on a canvas above. */
export function MapView({ fleet, scene, onView, onPick, picking, fit, padding = noPadding, strip }: Props) {
  const isDark = useComputedColorScheme("light") === "dark";
  const baseEl = useRef<HTMLDivElement>(null);
  const canvasEl = useRef<HTMLCanvasElement>(null);
  const base = useRef<BaseMap>(null);
  const latest = useRef({ scene, onView, onPick, isDark });
  useEffect(() => {
    latest.current = { scene, onView, onPick, isDark };
  });

  useEffect(() => {
    const [el, canvas] = [baseEl.current, canvasEl.current];
    if (!el || !canvas) return;
    const on = {
      moved: () => base.current && latest.current.onView(boundsOf(base.current.projection())),
      clicked: (place: LatLon) => latest.current.onPick?.(place),
    };
    const map = openMap(el, latest.current.isDark, on);
    base.current = map;
    on.moved();
    const stop = drawForever(canvas, map, fleet, () => latest.current);
    return () => {
      stop();
      map.remove();
      base.current = null;
    };
  }, [fleet]);

  useEffect(() => {
    base.current?.setDark(isDark);
  }, [isDark]);
  const pads = useRef(padding);
  pads.current = padding;
  useEffect(() => {
    if (fit) base.current?.fit(fit, pads.current);
  }, [fit]);

  return (
    <div className={classes.frame} data-picking={picking || undefined} data-strip={strip || undefined}>
      <div ref={baseEl} className={classes.base} />
      <canvas ref={canvasEl} className={classes.over} aria-hidden data-testid="fleet" />
      <Paper className={classes.zoom} shadow="sm">
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Zoom in" onClick={() => base.current?.zoomBy(1)}>+</ActionIcon>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Zoom out" onClick={() => base.current?.zoomBy(-1)}>−</ActionIcon>
      </Paper>
      <Text className={classes.credit} size="xs">
        <Anchor href="https://www.openstreetmap.org/copyright" target="_blank" rel="noreferrer" inherit c="inherit">© OpenStreetMap contributors</Anchor>
      </Text>
    </div>
  );
}

function openMap(el: HTMLElement, isDark: boolean, on: Parameters<typeof glMap>[2]): BaseMap {
  try {
    return glMap(el, isDark, on);
  } catch {
    el.replaceChildren(); // no WebGL 2 here
    return plainMap(el, isDark, on);
  }
}

function drawForever(canvas: HTMLCanvasElement, map: BaseMap, fleet: Fleet, latest: () => { scene: Scene; isDark: boolean }): () => void {
  const pen = canvas.getContext("2d");
  let next = 0;
  const draw = () => {
    next = requestAnimationFrame(draw);
    const p = map.projection();
    const ratio = devicePixelRatio;
    if (canvas.width !== Math.round(p.width * ratio) || canvas.height !== Math.round(p.height * ratio)) {
      canvas.width = Math.round(p.width * ratio);
      canvas.height = Math.round(p.height * ratio);
    }
    if (!pen) return;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const now = Date.now();
    fleet.sweep(now);
    const { scene, isDark } = latest();
    drawScene(pen, p, fleet, scene, isDark, now);
    canvas.dataset.vehicles = String(fleet.size);
  };
  draw();
  return () => cancelAnimationFrame(next);
}
