import { Map as MapLibre, setWorkerUrl } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { start, zoomRange, type BaseMap, type BaseMapEvents } from "./base";
import { dark, light } from "./colours";
import { mercatorX, mercatorY } from "./projection";
import { mapStyle } from "./style";

/** Throws where the browser has no WebGL 2. */
export function glMap(container: HTMLElement, isDark: boolean, on: BaseMapEvents): BaseMap {
  setWorkerUrl(workerUrl);
  const map = new MapLibre({
    container,
    style: mapStyle(isDark ? dark : light),
    center: [start.lon, start.lat],
    zoom: start.zoom,
    minZoom: zoomRange.min,
    maxZoom: zoomRange.max,
    maxPitch: 0,
    dragRotate: false,
    pitchWithRotate: false,
    attributionControl: false,
    renderWorldCopies: false,
    fadeDuration: 150,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.getCanvas().setAttribute("aria-label", "Map of Montevideo. Arrow keys move it, plus and minus zoom.");
  map.on("moveend", () => on.moved());
  map.on("resize", () => on.moved());
  map.on("click", (e) => on.clicked({ lat: e.lngLat.lat, lon: e.lngLat.lng }));
  return {
    projection() {
      const centre = map.getCenter();
      return {
        x: mercatorX(centre.lng),
        y: mercatorY(centre.lat),
        worldSize: 512 * 2 ** map.getZoom(),
        width: container.clientWidth,
        height: container.clientHeight,
      };
    },
    fit(b, padding) {
      const duration = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 600;
      map.fitBounds([[b.west, b.south], [b.east, b.north]], { padding, duration, maxZoom: 16 });
    },
    setDark(now) {
      if (now === isDark) return;
      isDark = now;
      map.setStyle(mapStyle(now ? dark : light), { diff: false });
    },
    zoomBy: (levels) => map.easeTo({ zoom: map.getZoom() + levels, duration: 200 }),
    remove: () => map.remove(),
  };
}
