import { driver, Problem } from "../api/client";
import type { DriverState, Place, Point, Ride } from "../api/types";
import { Course, type Spot } from "./course";

const every = 1000; // ms between two fixes
const times = 4; // how much faster than the street allows
const keep = 300; // fixes that wait while the stream cannot be reached
const home = { lat: -34.9066, lon: -56.1997 }; // Plaza Independencia, where the suggested short trip begins

export interface Trip {
  spot: Spot;
  route: [number, number][] | undefined;
  sent: number; // points that the stream has acknowledged
  error: unknown;
}

type Goal = { key: string; to: Place; ride: Ride; then: "arrive" | "pick-up" | "drop-off" };

/** Drives the car of who looks: sends a fix each second and does what its ride needs next. */
export class Autopilot {
  private spot: Spot = { ...home, heading: 90, speed: 0 };
  private seq = 0;
  private droveAt: number | undefined;
  private course: Course | undefined;
  private route: [number, number][] | undefined;
  private goal: Goal | undefined;
  private waiting: Point[] = [];
  private sent = 0;
  private busy = false;
  private acting = false;
  private error: unknown;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly subject: string,
    private readonly show: (trip: Trip) => void,
    private readonly changed: () => void,
  ) {}

  /** Begins where the driver's last point was, above its number. */
  async start(): Promise<void> {
    try {
      const last = await driver.last(this.subject);
      this.seq = last.seq;
      this.spot = { ...this.spot, lat: last.lat, lon: last.lon };
    } catch (e) {
      if (!(e instanceof Problem && e.status === 404)) throw e; // 404: its first time on the road
    }
    this.timer = setInterval(() => void this.tick(), every);
    void this.tick();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Takes up what the driver is to do now. */
  follow(state: DriverState): void {
    const goal = state.ride ? goalOf(state.ride) : undefined;
    if (goal?.key === this.goal?.key) return;
    this.goal = goal;
    this.course = this.route = undefined;
    if (goal) void this.plan(goal);
  }

  private async plan(goal: Goal): Promise<void> {
    try {
      const route = await driver.route(this.spot, goal.to);
      if (this.goal !== goal) return;
      this.route = route.points as [number, number][];
      this.course = new Course(route, times);
    } catch (e) {
      this.error = e;
      if (this.goal === goal) setTimeout(() => void this.plan(goal), every);
    }
  }

  private async tick(): Promise<void> {
    const at = Date.now();
    const elapsed = at - (this.droveAt ?? at - every); // a browser slows the timers of a hidden tab
    this.droveAt = at;
    this.spot = this.course ? this.course.drive(elapsed / 1000) : { ...this.spot, speed: 0 };
    this.seq = Math.max(this.seq + 1, at);
    this.waiting = [...this.waiting, { seq: this.seq, at, accuracy: 5, ...this.spot }].slice(-keep);
    if (this.course?.done) void this.act();
    await this.send();
    this.show({ spot: this.spot, route: this.route, sent: this.sent, error: this.error });
  }

  private async send(): Promise<void> {
    if (this.busy || this.waiting.length === 0) return;
    this.busy = true;
    const batch = this.waiting;
    try {
      await driver.points(batch);
      const last = batch.at(-1)?.seq ?? 0;
      this.waiting = this.waiting.filter((p) => p.seq > last);
      this.sent += batch.length;
      this.error = undefined;
    } catch (e) {
      this.error = e; // they wait and go with the next ones
      if (e instanceof Problem && e.status === 400) this.waiting = [];
    } finally {
      this.busy = false;
    }
  }

  private async act(): Promise<void> {
    const goal = this.goal;
    if (!goal || this.acting) return;
    this.acting = true;
    try {
      await driver.act(goal.ride.id, goal.then);
    } catch (e) {
      this.error = e;
    } finally {
      this.acting = false;
      this.changed();
    }
  }
}

function goalOf(ride: Ride): Goal | undefined {
  const key = `${ride.id} ${ride.state}`;
  switch (ride.state) {
    case "assigned":
      return { key, ride, to: ride.pickup, then: "arrive" };
    case "arrived":
      return { key, ride, to: ride.pickup, then: "pick-up" };
    case "picked_up":
      return { key, ride, to: ride.dropoff, then: "drop-off" };
    default:
      return undefined;
  }
}
