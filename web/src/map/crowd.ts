import { drawArrow } from "./car";
import type { Fleet } from "./fleet";
import { screenX, screenY, type Projection } from "./projection";
import { tailFor } from "./tails";

/** From so many cars on they are copied as pixels: a path for each takes 15 ms of 5,000, and pixels take 3. */
export const crowdFrom = 400;

const tailsUpTo = 1_500; // cars: the tails of more would be one blue surface, and take twice as long as the cars

const headings = 48; // pictures of a car, one each 7.5 degrees; one more for a heading that is not known

export interface Paint {
  size: number; // pixels of the page, as drawArrow has it
  fill: string;
  edge: string;
  tail: string | undefined; // the tails' colour, where there are any
}

/** The pixels of one picture, without the empty ones: how far each is from the picture's corner, and 0xAABBGGRR, as an ImageData has it. */
interface Sprite {
  solid: { at: Uint32Array; pixel: Uint32Array };
  edge: { at: Uint32Array; pixel: Uint32Array }; // half transparent
}

/** Pictures of one kind of car, one each heading. */
interface Sprites {
  key: string;
  side: number;
  pictures: Sprite[];
}

/** Draws very many cars, in place of all that is on a canvas. It keeps the canvas's pixels, and the pictures of one kind of car. */
export class Crowd {
  private image = new ImageData(1, 1);
  private pixels = new Uint32Array(1);
  private sprites: Sprites | undefined;

  draw(ctx: CanvasRenderingContext2D, p: Projection, fleet: Fleet, paint: Paint, skip: number | undefined, now: number): void {
    const ratio = ctx.canvas.width / p.width; // pixels of the screen for one of the page
    this.clear(ctx.canvas.width, ctx.canvas.height);
    const sprites = this.spritesOf(paint, ratio);

    if (paint.tail && fleet.size <= tailsUpTo) this.addTails(p, fleet, ratio, paint.tail, now);
    fleet.forEach(now, (id, lat, lon, heading) => {
      if (id === skip) return;
      const picture = heading === undefined ? headings : Math.round((heading / 360) * headings) % headings;
      this.add(sprites.pictures[picture]!, sprites.side, Math.round(screenX(p, lon) * ratio - sprites.side / 2), Math.round(screenY(p, lat) * ratio - sprites.side / 2));
    });

    ctx.putImageData(this.image, 0, 0);
  }

  private clear(width: number, height: number): void {
    if (this.image.width === width && this.image.height === height) {
      this.pixels.fill(0);
      return;
    }

    this.image = new ImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** Copies a picture. What is half transparent is an edge: over another car it is left out. */
  private add({ solid, edge }: Sprite, side: number, left: number, top: number): void {
    const { width, height } = this.image;
    if (left + side <= 0 || top + side <= 0 || left >= width || top >= height) return;
    const { pixels } = this;
    const corner = top * width + left;

    // No pairs in here, and no functions: they would cost more than the pixels.
    const inside = left >= 0 && top >= 0 && left + side <= width && top + side <= height;
    for (let i = 0; i < solid.at.length; i++) {
      const at = solid.at[i]!;
      if (inside || this.shows(left, top, at)) pixels[corner + at] = solid.pixel[i]!;
    }
    for (let i = 0; i < edge.at.length; i++) {
      const at = edge.at[i]!;
      if (pixels[corner + at] === 0 && (inside || this.shows(left, top, at))) pixels[corner + at] = edge.pixel[i]!;
    }
  }

  /** Reports whether a pixel of a picture that lies across an edge of the canvas is on it. */
  private shows(left: number, top: number, at: number): boolean {
    const { width, height } = this.image;
    const x = left + (at % width);
    const y = top + Math.floor(at / width);
    return x >= 0 && y >= 0 && x < width && y < height;
  }

  /** A tail is a thin line whose end fades. */
  private addTails(p: Projection, fleet: Fleet, ratio: number, colour: string, now: number): void {
    const opaque = pixelOf(colour) & 0xffffff;
    let fromX = 0;
    let fromY = 0;

    fleet.forEachTail(now, (lat, lon, age, begins) => {
      const x = screenX(p, lon) * ratio;
      const y = screenY(p, lat) * ratio;
      if (!begins) this.addLine(fromX, fromY, x, y, ((Math.round(255 * (1 - age / tailFor)) << 24) | opaque) >>> 0);
      fromX = x;
      fromY = y;
    });
  }

  private addLine(fromX: number, fromY: number, toX: number, toY: number, pixel: number): void {
    const { width, height } = this.image;
    const { pixels } = this;
    const steps = Math.ceil(Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY)));
    if (steps > width + height) return; // beyond what is shown

    for (let i = 0; i < steps; i++) {
      const x = Math.floor(fromX + ((toX - fromX) * i) / steps);
      const y = Math.floor(fromY + ((toY - fromY) * i) / steps);
      if (x >= 0 && y >= 0 && x < width && y < height) pixels[y * width + x] = pixel;
    }
  }

  private spritesOf({ size, fill, edge }: Paint, ratio: number): Sprites {
    const scaled = Math.round(size * ratio * 2) / 2; // new pictures for each half pixel only
    const key = [scaled, fill, edge, ratio, this.image.width].join();
    if (this.sprites?.key === key) return this.sprites;

    const side = Math.ceil(scaled * 2 + 4 * ratio);
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [side, side * (headings + 1)];
    const ctx = canvas.getContext("2d", { willReadFrequently: true });
    if (!ctx) return { key: "", side: 0, pictures: [] };

    for (let i = 0; i <= headings; i++) {
      ctx.setTransform(ratio, 0, 0, ratio, side / 2, (i + 0.5) * side);
      drawArrow(ctx, 0, 0, i === headings ? undefined : (i / headings) * 360, scaled / ratio, fill, edge);
    }
    const pictures = Array.from({ length: headings + 1 }, (_, i) => spriteOf(ctx.getImageData(0, i * side, side, side), this.image.width));
    this.sprites = { key, side, pictures };
    return this.sprites;
  }
}

function spriteOf({ data, width: side }: ImageData, width: number): Sprite {
  const all = new Uint32Array(data.buffer);
  const there = [...all.keys()].filter((i) => all[i] !== 0);
  const copied = (kept: number[]) => ({
    at: Uint32Array.from(kept, (i) => Math.floor(i / side) * width + (i % side)),
    pixel: Uint32Array.from(kept, (i) => all[i]!),
  });

  const whole = (i: number) => all[i]! >>> 24 >= 192;
  return { solid: copied(there.filter(whole)), edge: copied(there.filter((i) => !whole(i))) };
}

/** A colour "#rrggbb" as an opaque pixel. */
function pixelOf(hex: string): number {
  const rgb = parseInt(hex.slice(1), 16);
  return (0xff000000 | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
}
