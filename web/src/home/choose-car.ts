import type { ShownCar } from "../map/shown-cars";

interface Size {
  width: number;
  height: number;
}

// The words below the ring need so much room, in px.
const words = { below: 120, beside: 110 };

/** Whether a ring with words around this place covers neither the headline nor the map's edges. */
function hasRoom({ x, y }: { x: number; y: number }, { width, height }: Size): boolean {
  const rightOfHeadline = Math.max(700, width * 0.46) + words.beside;
  return x > rightOfHeadline && x < width - words.beside - 40 && y > height * 0.3 && y < height - words.below;
}

const isWhole = (car: ShownCar) => car.points.length >= 5;

/** The car to name: one with room, that has a tail, nearest to the shore, where few streets are. */
export function choose(cars: ShownCar[], size: Size): ShownCar | undefined {
  const [x, y] = [size.width * 0.58, size.height * 0.72];
  const far = (c: ShownCar) => Math.hypot(c.x - x, c.y - y);

  return cars.filter((c) => isWhole(c) && hasRoom(c, size)).sort((a, b) => far(a) - far(b))[0];
}

/** Whether a car that is named still has the room for it. */
export const stays = (car: ShownCar, size: Size): boolean => isWhole(car) && hasRoom(car, size);
