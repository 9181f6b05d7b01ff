import type { ExpressionSpecification, GeoJSONSourceSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import { addressOf, cityFiles, type CityFile } from "./city-files";
import type { MapColours } from "./colours";
import { growth, mains, streets, trunks, type Road, type Widths } from "./roads";

const nothing: GeoJSONSourceSpecification["data"] = { type: "FeatureCollection", features: [] };

/** The base map's style. It is drawn from our own files: it needs no tile server and no font server. Files that are not fetched yet are empty. */
export function mapStyle(c: MapColours, fetched: (file: CityFile) => boolean): StyleSpecification {
  const sources: Record<string, GeoJSONSourceSpecification> = {};
  for (const file of Object.keys(cityFiles) as CityFile[]) sources[file] = { type: "geojson", data: fetched(file) ? addressOf(file) : nothing };

  // Later layers lie on top: water covers land, streets cross both, names come last.
  return { version: 8, sources, layers: [...ground(c), ...roads(c), ...labels(c)] };
}

function ground(c: MapColours): LayerSpecification[] {
  const kind: ExpressionSpecification = [
    "match", ["get", "class"], "water", c.sea, "beach", c.works, "works", c.works, c.park,
  ];

  return [
    { id: "land", type: "background", paint: { "background-color": c.land } },
    { id: "areas", type: "fill", source: "areas", paint: { "fill-color": kind } },
    { id: "small-areas", type: "fill", source: "small-areas", minzoom: cityFiles["small-areas"], paint: { "fill-color": kind } },
    { id: "sea", type: "fill", source: "sea", paint: { "fill-color": c.sea } },
    { id: "shore", type: "line", source: "sea", paint: { "line-color": c.shore, "line-width": 1 } },
    {
      id: "streams", type: "line", source: "rails", filter: ["==", ["get", "class"], "stream"],
      paint: { "line-color": c.sea, "line-width": 1.5 },
    },
    { id: "buildings", type: "fill", source: "buildings", minzoom: cityFiles.buildings, paint: { "fill-color": c.building } },
  ];
}

const width = ([at11, at14, at17]: Widths): ExpressionSpecification => [
  "interpolate", ["exponential", growth], ["zoom"], 11, at11, 14, at14, 17, at17,
];

function roads(c: MapColours): LayerSpecification[] {
  const both = (r: Road): LayerSpecification[] => {
    const line = (id: string, colour: string, widths: Widths): LayerSpecification => ({
      id, type: "line", source: r.file, minzoom: r.minzoom, filter: ["in", ["get", "class"], ["literal", r.classes]],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": colour, "line-width": width(widths) },
    });

    return [line(`${r.id}-casing`, c.casing, r.casing), line(r.id, c[r.colour], r.width)];
  };

  return [
    { id: "paths", type: "line", source: "paths", minzoom: cityFiles.paths, paint: { "line-color": c.casing, "line-width": 1 } },
    ...both(streets),
    {
      id: "rails", type: "line", source: "rails", filter: ["!", ["has", "class"]],
      paint: { "line-color": c.rail, "line-width": 1.2, "line-dasharray": [4, 2] },
    },
    ...both(mains),
    ...both(trunks),
  ];
}

function labels(c: MapColours): LayerSpecification[] {
  const paint = { "text-color": c.label, "text-halo-color": c.halo, "text-halo-width": 1.4 } as const;
  const font = ["Inter Variable", "sans-serif"]; // the page's own font, drawn by the browser

  return [
    {
      id: "street-names", type: "symbol", source: "names", minzoom: cityFiles.names,
      layout: { "symbol-placement": "line", "text-field": ["get", "name"], "text-font": font, "text-size": 11, "symbol-spacing": 320 },
      paint,
    },
    {
      // Rank 1 is a city; the higher a rank, the closer one must come to see the name.
      id: "places", type: "symbol", source: "labels",
      filter: ["<=", ["get", "rank"], ["step", ["zoom"], 2, 13, 3, 14, 4]],
      layout: {
        "text-field": ["get", "name"], "text-font": font, "symbol-sort-key": ["get", "rank"], "text-max-width": 7,
        "text-size": ["match", ["get", "rank"], 1, 16, 2, 12.5, 11], "text-padding": 8,
      },
      // From afar cars drive over the names: these yield, as far as they can still be read.
      paint: { ...paint, "text-opacity": ["interpolate", ["linear"], ["zoom"], 13, 0.8, 14.5, 1] },
    },
  ];
}
