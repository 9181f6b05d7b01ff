import { describe, expect, test } from "vitest";
import { boundsOf, boxIn, contains, keptWithin, mapped, mercatorX, mercatorY, type Projection } from "./projection";

const view = (lat: number, lon: number, zoom: number, width: number, height: number): Projection => ({
  x: mercatorX(lon), y: mercatorY(lat), worldSize: 512 * 2 ** zoom, width, height,
});

describe("a view that is kept within bounds", () => {
  test("stays as it is where it shows nothing beyond", () => {
    const p = view(-34.9, -56.173, 13, 800, 600);
    expect(keptWithin(p, mapped)).toEqual(p);
  });

  test.each([[1440, 844], [390, 788], [320, 512], [2560, 1300]])("of %i x %i pixels moves and grows until all of it is mapped", (width, height) => {
    for (const p of [view(-34.9, -56.173, 8, width, height), view(-34.7, -57, 13, width, height), view(-36, -55, 11, width, height)]) {
      const { west, east, south, north } = boundsOf(keptWithin(p, mapped));
      const slack = 1e-9;
      expect(contains({ west: mapped.west - slack, south: mapped.south - slack, east: mapped.east + slack, north: mapped.north + slack },
        { west, east, south, north })).toBe(true);
    }
  });
});

test("a box in the address is four numbers that make a box", () => {
  expect(boxIn("?box=-8.7,41.1,-8.5,41.2")).toEqual({ west: -8.7, south: 41.1, east: -8.5, north: 41.2 });

  for (const bad of ["", "?box=", "?box=1,2,3", "?box=1,2,3,4,5", "?box=a,b,c,d", "?box=3,1,2,4", "?box=0,0,0,99", "?box=NaN,0,1,1"]) {
    expect(boxIn(bad), bad).toBeUndefined();
  }
});
