import { Map as MapLibre, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { closestFit, drawnWithin, start, tileSize, zoomRange, type BaseMap, type BaseMapHandlers } from "./base";
import { dark, light } from "./colours";
import { contains, mapped, mercatorX, mercatorY, type Bounds } from "./projection";
import { mapStyle } from "./style";

/** A base map by MapLibre. It throws an error in a browser without WebGL 2. */
export function glMap(container: HTMLElement, isDark: boolean, handlers: BaseMapHandlers): BaseMap {
  // The build renames the worker's file, so MapLibre cannot know where it is.
  setWorkerUrl(workerUrl);

  const map = new MapLibre({
    container,
    style: mapStyle(isDark ? dark : light),
    center: [start.lon, start.lat],
    zoom: start.zoom,
    maxBounds: corners(mapped),
    minZoom: zoomRange.min,
    maxZoom: zoomRange.max,

    // North stays up and the map flat: the canvas above knows no other projection.
    maxPitch: 0,
    dragRotate: false,
    pitchWithRotate: false,
    renderWorldCopies: false,

    attributionControl: false, // MapView shows the credit itself
    fadeDuration: 150,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.getCanvas().setAttribute("aria-label", "Map of Montevideo. The arrow keys move it, plus and minus zoom.");

  // A file that does not come must not hide the vehicles for ever.
  let drawn = false;
  map.once("load", () => (drawn = true));
  const patience = setTimeout(() => (drawn = true), drawnWithin);

  map.on("moveend", () => handlers.onMoved());
  map.on("resize", () => handlers.onMoved());
  map.on("click", (e) => handlers.onClicked({ lat: e.lngLat.lat, lon: e.lngLat.lng }));

  return {
    drawn: () => drawn,

    projection() {
      const centre = map.getCenter();

      return {
        x: mercatorX(centre.lng),
        y: mercatorY(centre.lat),
        worldSize: tileSize * 2 ** map.getZoom(),
        width: container.clientWidth,
        height: container.clientHeight,
      };
    },

    fit(b, padding) {
      map.setMaxBounds(contains(mapped, b) ? corners(mapped) : null);
      const duration = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 600;
      map.fitBounds(corners(b), { padding, duration, maxZoom: closestFit });
    },

    setDark(now) {
      if (now === isDark) return; // a new style loads every layer again

      isDark = now;
      map.setStyle(mapStyle(now ? dark : light), { diff: false });
    },

    zoomBy: (levels) => map.easeTo({ zoom: map.getZoom() + levels, duration: 200 }),
    remove() {
      clearTimeout(patience);
      map.remove();
    },
  };
}

const corners = (b: Bounds): [[number, number], [number, number]] => [[b.west, b.south], [b.east, b.north]];
