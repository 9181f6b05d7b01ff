import type { Bounds, LatLon, Projection } from "./projection";

/** The map beneath the vehicles: MapLibre, or a plain drawing in a browser without WebGL 2. */
export interface BaseMap {
  drawn(): boolean; // once the map is there; also when a part of it could not be fetched
  projection(): Projection;
  fit(bounds: Bounds, padding: Padding): void; // bounds beyond what is mapped free the map from its limits
  setDark(dark: boolean): void;
  settled(): void; // the first cars are drawn: what is heavier may come
  zoomBy(levels: number): void;
  focus(): void; // of the keyboard, whose arrows move the map
  remove(): void;
}

export interface Padding {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

export interface BaseMapHandlers {
  onMoved(): void; // the view has changed and is at rest
  onClicked(place: LatLon): void;
  onPlain(): void; // the map stays plain, as there is no WebGL 2 here
}

export const start = { lat: -34.9, lon: -56.173, zoom: 13 } as const;
export const zoomRange = { min: 2, max: 18 } as const; // in the city the edge of what is mapped comes before min
export const drawnWithin = 10_000; // ms after which the vehicles wait no longer for the map beneath them
export const closestFit = 16; // the zoom beyond which fit does not go, for two places close together
export const tileSize = 512; // the whole world's width in pixels at zoom 0
