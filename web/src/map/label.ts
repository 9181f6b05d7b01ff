/** A box on the map, in pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Pixel {
  x: number;
  y: number;
}

const gap = 16; // from the middle of a pin to its label
const pin = 14; // from the middle of the other pin to where its edge ends

/** Where a pin's label lies: beside the pin, or above or below it, where neither the page ends nor the other pin lies. */
export function labelBox(at: Pixel, { width, height }: { width: number; height: number }, other: Pixel | undefined, page: { width: number; height: number }): Box {
  const [middle, centre] = [at.y - height / 2, at.x - width / 2];
  const places: Box[] = [
    { left: at.x + gap, top: middle, width, height },
    { left: at.x - gap - width, top: middle, width, height },
    { left: centre, top: at.y - gap - height, width, height },
    { left: centre, top: at.y + gap, width, height },
  ];

  const within = (b: Box) => b.left >= 0 && b.top >= 0 && b.left + width <= page.width && b.top + height <= page.height;
  const covers = (b: Box) =>
    other !== undefined && other.x > b.left - pin && other.x < b.left + width + pin && other.y > b.top - pin && other.y < b.top + height + pin;

  return places.find((b) => within(b) && !covers(b)) ?? places.find((b) => !covers(b)) ?? places[0]!;
}
