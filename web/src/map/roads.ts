import type { CityFile } from "./city-files";
import type { MapColours } from "./colours";

export type Widths = [at11: number, at14: number, at17: number]; // pixels at three zooms

/** A kind of road, as both base maps draw it: a line, and a wider one beneath that is its edge. */
export interface Road {
  id: string;
  file: CityFile;
  classes: string[];
  colour: keyof MapColours;
  width: Widths;
  casing: Widths;
  minzoom: number;
}

const road = (id: string, file: CityFile, classes: string[], colour: keyof MapColours, w: Widths, minzoom: number): Road => ({
  id, file, classes, colour, width: w, casing: [w[0] + 0.8, w[1] + 1.4, w[2] + 2.5], minzoom,
});

// Wide roads are drawn after narrow ones, so that they run through at crossings.
export const streets = road("streets", "streets", ["street", "tertiary"], "street", [0.4, 2, 11], 11.5);
export const mains = road("mains", "mains", ["secondary", "primary"], "main", [0.9, 3, 14], 0);
export const trunks = road("trunks", "mains", ["trunk"], "trunk", [1.3, 4, 17], 0);

export const growth = 1.6; // how much faster than linear a width grows with the zoom

/** A width between the three zooms, as MapLibre's expression "interpolate", "exponential" has it. */
export function widthAt([at11, at14, at17]: Widths, zoom: number): number {
  const between = (from: number, to: number, low: number) => {
    const part = (growth ** Math.min(Math.max(zoom - low, 0), 3) - 1) / (growth ** 3 - 1);
    return from + (to - from) * part;
  };
  return zoom < 14 ? between(at11, at14, 11) : between(at14, at17, 14);
}
