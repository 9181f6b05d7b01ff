import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { MapColours } from "./colours";

const layerFiles = ["sea", "areas", "buildings", "roads", "rails", "labels"] as const;

/** The base map's style. It is drawn from our own files: it needs no tile server and no font server. */
export function mapStyle(c: MapColours): StyleSpecification {
  const sources: StyleSpecification["sources"] = {};

  for (const name of layerFiles) {
    const attribution = name === "roads" ? "© OpenStreetMap contributors" : undefined;
    sources[name] = { type: "geojson", data: `/city/map/${name}.json`, ...(attribution ? { attribution } : {}) };
  }

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
    { id: "sea", type: "fill", source: "sea", paint: { "fill-color": c.sea } },
    { id: "shore", type: "line", source: "sea", paint: { "line-color": c.shore, "line-width": 1 } },
    {
      id: "streams", type: "line", source: "rails", filter: ["==", ["get", "class"], "stream"],
      paint: { "line-color": c.sea, "line-width": 1.5 },
    },
    { id: "buildings", type: "fill", source: "buildings", minzoom: 14, paint: { "fill-color": c.building } },
  ];
}

/** A line's width in pixels at three zooms, and smoothly between them. */
const width = (at11: number, at14: number, at17: number): ExpressionSpecification => [
  "interpolate", ["exponential", 1.6], ["zoom"], 11, at11, 14, at14, 17, at17,
];

function roads(c: MapColours): LayerSpecification[] {
  const group = (id: string, classes: string[], colour: string, w: [number, number, number], minzoom: number): LayerSpecification[] => {
    const line = (name: string, lineColor: string, lineWidth: ExpressionSpecification): LayerSpecification => ({
      id: name, type: "line", source: "roads", minzoom, filter: ["in", ["get", "class"], ["literal", classes]],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": lineColor, "line-width": lineWidth },
    });

    // A wider line beneath makes the edge of the road.
    return [
      line(`${id}-casing`, c.casing, width(w[0] + 0.8, w[1] + 1.4, w[2] + 2.5)),
      line(id, colour, width(...w)),
    ];
  };

  // Wide roads are drawn after narrow ones, so that they run through at crossings.
  return [
    {
      id: "paths", type: "line", source: "roads", minzoom: 15, filter: ["in", ["get", "class"], ["literal", ["path", "service"]]],
      paint: { "line-color": c.casing, "line-width": 1 },
    },
    ...group("streets", ["street", "tertiary"], c.street, [0.4, 2, 11], 11.5),
    {
      id: "rails", type: "line", source: "rails", filter: ["!", ["has", "class"]],
      paint: { "line-color": c.rail, "line-width": 1.2, "line-dasharray": [4, 2] },
    },
    ...group("mains", ["secondary", "primary"], c.main, [0.9, 3, 14], 0),
    ...group("trunks", ["trunk"], c.trunk, [1.3, 4, 17], 0),
  ];
}

function labels(c: MapColours): LayerSpecification[] {
  const paint = { "text-color": c.label, "text-halo-color": c.halo, "text-halo-width": 1.4 } as const;
  const font = ["Inter Variable", "sans-serif"]; // the page's own font, drawn by the browser

  return [
    {
      id: "street-names", type: "symbol", source: "roads", minzoom: 14.5,
      filter: ["all", ["has", "name"], ["!", ["in", ["get", "class"], ["literal", ["path", "service"]]]]],
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
      paint,
    },
  ];
}
