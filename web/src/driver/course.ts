import type { Route } from "../api/types";

const metresPerDegree = 111_320;

export interface Spot {
  lat: number;
  lon: number;
  heading: number; // degrees clockwise from north
  speed: number; // metres a second, as driven
}

/** A way to drive, cut into legs of known length and speed. */
export class Course {
  private readonly legs: { from: Spot; metres: number }[] = [];
  private readonly end: Spot;
  private leg = 0;
  private gone = 0; // metres into the leg

  constructor(route: Pick<Route, "points" | "speeds_mps">, times: number) {
    const points = route.points.map(([lat = 0, lon = 0]) => ({ lat, lon }));
    for (let i = 0; i + 1 < points.length; i++) {
      const [a, b] = [points[i]!, points[i + 1]!];
      const [north, east] = offset(a, b);
      const metres = Math.hypot(north, east);
      if (metres === 0) continue;
      const heading = ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360;
      this.legs.push({ from: { ...a, heading, speed: (route.speeds_mps[i] ?? 8) * times }, metres });
    }
    const last = points.at(-1) ?? { lat: 0, lon: 0 };
    this.end = { ...last, heading: this.legs.at(-1)?.from.heading ?? 0, speed: 0 };
  }

  get done(): boolean {
    return this.leg >= this.legs.length;
  }

  /** Drives on for some seconds and says where that leads. */
  drive(seconds: number): Spot {
    let left = seconds;
    for (let leg = this.legs[this.leg]; leg && left > 0; leg = this.legs[this.leg]) {
      const needed = (leg.metres - this.gone) / leg.from.speed;
      if (needed > left) {
        this.gone += leg.from.speed * left;
        return along(leg.from, this.gone);
      }
      left -= needed;
      this.leg++;
      this.gone = 0;
    }
    return this.end;
  }
}

function offset(a: { lat: number; lon: number }, b: { lat: number; lon: number }): [number, number] {
  const shrink = Math.cos((a.lat * Math.PI) / 180);
  return [(b.lat - a.lat) * metresPerDegree, (b.lon - a.lon) * metresPerDegree * shrink];
}

function along(from: Spot, metres: number): Spot {
  const angle = (from.heading * Math.PI) / 180;
  return {
    ...from,
    lat: from.lat + (metres * Math.cos(angle)) / metresPerDegree,
    lon: from.lon + (metres * Math.sin(angle)) / (metresPerDegree * Math.cos((from.lat * Math.PI) / 180)),
  };
}
