import type { Route } from "../api/types";
import { metresBetween, placeAhead } from "../map/geo";

export interface Position {
  lat: number;
  lon: number;
  heading: number; // degrees clockwise from north
  speed: number; // metres a second, as driven
}

const unknownSpeed = 8; // metres a second, where the route has no speed for a leg

/** A route to drive, cut into legs of known length and speed. */
export class Course {
  private readonly legs: { from: Position; metres: number }[] = [];
  private readonly end: Position;
  private leg = 0;
  private driven = 0; // metres of this leg

  constructor(route: Pick<Route, "points" | "speeds_mps">, speedUp: number) {
    const points = route.points.map(([lat = 0, lon = 0]) => ({ lat, lon }));
    for (let i = 0; i + 1 < points.length; i++) {
      const [a, b] = [points[i]!, points[i + 1]!];
      const [north, east] = metresBetween(a, b);
      const metres = Math.hypot(north, east);
      if (metres === 0) continue; // it has no direction

      const heading = ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360;
      this.legs.push({ from: { ...a, heading, speed: (route.speeds_mps[i] ?? unknownSpeed) * speedUp }, metres });
    }

    const last = points.at(-1) ?? { lat: 0, lon: 0 };
    this.end = { ...last, heading: this.legs.at(-1)?.from.heading ?? 0, speed: 0 };
  }

  get done(): boolean {
    return this.leg >= this.legs.length;
  }

  /** How much is left to drive. */
  get left(): { metres: number; seconds: number } {
    const ahead = this.legs.slice(this.leg);
    const metres = ahead.reduce((sum, l) => sum + l.metres, 0) - this.driven;
    const seconds = ahead.reduce((sum, l) => sum + l.metres / l.from.speed, 0) - this.driven / (ahead[0]?.from.speed ?? 1);

    return { metres, seconds };
  }

  /** Drives on for some seconds and returns where the car is then. */
  drive(seconds: number): Position {
    let left = seconds;

    // The time may last for several short legs, each with a speed of its own.
    for (let leg = this.legs[this.leg]; leg && left > 0; leg = this.legs[this.leg]) {
      const needed = (leg.metres - this.driven) / leg.from.speed;
      if (needed > left) {
        this.driven += leg.from.speed * left;
        return { ...leg.from, ...placeAhead(leg.from, leg.from.heading, this.driven) };
      }

      left -= needed;
      this.leg++;
      this.driven = 0;
    }

    return this.end;
  }
}
