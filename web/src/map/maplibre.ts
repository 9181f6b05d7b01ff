// MapLibre, from its source (vite.config.ts). A page and its workers run this one file,
// where MapLibre's own build has a second file for workers that repeats half of the
// first: 316 kB instead of 437, gzipped. It may import nothing of the app, which a
// worker would run as well.
import "maplibre-gl/dist/maplibre-gl-worker.mjs"; // it does something in a worker only
import { Map, setWorkerUrl } from "maplibre-gl";

setWorkerUrl(import.meta.url);

export { Map };
