import type { GeoJSONSource, Map } from "maplibre-gl";
import { closestFit, drawnWithin, tileSize, zoomRange, type BaseMap, type BaseMapHandlers } from "./base";
import { addressOf, cityFiles, type CityFile } from "./city-files";
import { dark, light } from "./colours";
import { givingWay } from "./give-way";
import { boundsOf, contains, mapped, mercatorX, mercatorY, unproject, type Bounds, type Projection } from "./projection";
import { mapStyle } from "./style";

export interface GLMap extends Omit<BaseMap, "settled"> {
  show(view: Projection): void;
  whenDrawn(drawn: () => void): void; // once what it shows is there
}

/** A base map by MapLibre. It throws an error in a browser without WebGL 2. */
export function glMap(MapLibre: typeof Map, container: HTMLElement, view: Projection, isDark: boolean, handlers: BaseMapHandlers): GLMap {
  // What is drawn close up is fetched when one comes close, and then stays.
  let closest = Math.log2(view.worldSize / tileSize);
  const needed = (file: CityFile) => cityFiles[file] <= closest;

  const map = new MapLibre({
    container,
    style: mapStyle(isDark ? dark : light, needed),
    ...cameraOf(view),
    maxBounds: limitsOf(boundsOf(view)),
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

  // Whatever makes it draw: new files, another size, names that fade in.
  const draw = map._render.bind(map);
  const way = givingWay(container, () => map.triggerRepaint());
  map._render = (at) => (way.busy() ? map : draw(at));

  map.on("zoom", () => {
    const before = closest;
    closest = Math.max(closest, map.getZoom());
    for (const file of Object.keys(cityFiles) as CityFile[]) {
      if (cityFiles[file] > before && needed(file)) void map.getSource<GeoJSONSource>(file)?.setData(addressOf(file));
    }
  });

  map.on("moveend", () => handlers.onMoved());
  map.on("resize", () => handlers.onMoved());
  map.on("click", (e) => handlers.onClicked({ lat: e.lngLat.lat, lon: e.lngLat.lng }));

  return {
    drawn: () => true, // it is shown once it is drawn, in place of another map

    // A file that does not come must not hide the map for ever.
    whenDrawn(drawn) {
      const once = () => {
        clearTimeout(patience);
        map.off("idle", once);
        drawn();
      };
      const patience = setTimeout(once, drawnWithin);
      map.on("idle", once);
    },

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

    show(view) {
      map.setMaxBounds(limitsOf(boundsOf(view)));
      map.jumpTo(cameraOf(view));
    },

    fit(b, padding) {
      map.setMaxBounds(limitsOf(b));
      const duration = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 600;
      map.fitBounds(corners(b), { padding, duration, maxZoom: closestFit });
    },

    setDark(now) {
      if (now === isDark) return; // a new style loads every layer again

      isDark = now;
      map.setStyle(mapStyle(now ? dark : light, needed), { diff: false });
    },

    zoomBy: (levels) => map.easeTo({ zoom: map.getZoom() + levels, duration: 200 }),
    focus: () => map.getCanvas().focus({ preventScroll: true }),

    remove() {
      way.stop();
      map.remove();
    },
  };
}

const corners = (b: Bounds): [[number, number], [number, number]] => [[b.west, b.south], [b.east, b.north]];

/** The view may not leave the city, unless something beyond it is shown. */
function limitsOf(shown: Bounds): [[number, number], [number, number]] | undefined {
  const slack = 1e-6; // a view along an edge lies within
  const room = { west: mapped.west - slack, south: mapped.south - slack, east: mapped.east + slack, north: mapped.north + slack };

  return contains(room, shown) ? corners(mapped) : undefined;
}

function cameraOf(view: Projection): { center: [number, number]; zoom: number } {
  const { lat, lon } = unproject(view, view.width / 2, view.height / 2);
  return { center: [lon, lat], zoom: Math.log2(view.worldSize / tileSize) };
}
