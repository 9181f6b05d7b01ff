import { driver, Problem } from "../api/client";
import type { DriverState, Place, Point, PointsAccepted, Ride } from "../api/types";
import { Course, type Position } from "./course";

const fixInterval = 1000; // ms between two fixes
const speedUp = 4; // how much faster than the streets allow the car drives
export const maxUnsent = 600; // fixes that wait while the location service cannot be reached: ten minutes
const maxBatch = 500; // points that one request may carry
const home = { lat: -34.9066, lon: -56.1997 }; // Plaza Independencia, where the suggested short trip begins

export interface Trip {
  position: Position;
  route: [number, number][] | undefined; // to where the ride needs the car next
  left: Course["left"] | undefined; // of the route, at the speed that is driven
  sent: number; // points that are acknowledged: they are on the stream
  sentAt: number; // when that was known
  unsent: number; // points that wait
  dropped: number; // points that were given up, as too many waited
  refused: number; // points that the server takes never
  error: unknown;
  retried: boolean; // what failed is tried again by itself
}

type Goal = { key: string; to: Place; ride: Ride; action: "arrive" | "pick-up" | "drop-off" };

/** Drives this driver's car: it sends a fix each second, and does what the ride needs next. */
export class Autopilot {
  private position: Position = { ...home, heading: 90, speed: 0 };
  private seq = 0;
  private drivenAt: number | undefined;
  private course: Course | undefined;
  private route: [number, number][] | undefined;
  private goal: Goal | undefined;
  private unsent: Point[] = [];
  private inFlight = 0; // how many of unsent, from its start, the request under way carries
  private dropped = 0;
  private sent = 0;
  private sentAt = Date.now();
  private refused = 0;
  private sending = false;
  private acting = false;
  private error: unknown;
  private retried = false;
  private stopped = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly subject: string,
    private readonly onTrip: (trip: Trip) => void,
    private readonly onActed: () => void,
  ) {}

  /** Starts at the driver's last point, and continues after its sequence number. */
  start(): void {
    driver
      .lastPoint(this.subject)
      .then((last) => {
        this.seq = last.seq;
        this.position = { ...this.position, lat: last.lat, lon: last.lon };
        this.drive();
      })
      .catch((e: unknown) => {
        // 404: this driver has never sent a point. After any other error we do not
        // know where to continue, as readers would ignore points with a lower number:
        // ask again.
        if (e instanceof Problem && e.status === 404) return this.drive();
        if (this.stopped) return;

        this.fail(e, true);
        this.tell();
        this.timer = setTimeout(() => this.start(), fixInterval);
      });
  }

  private drive(): void {
    if (this.stopped) return;
    this.error = undefined;
    this.timer = setInterval(() => void this.tick(), fixInterval);
    void this.tick();
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer); // ends a time-out as well
  }

  private fail(error: unknown, retried: boolean): void {
    this.error = error;
    this.retried = retried;
  }

  private tell(): void {
    const { position, route, sent, sentAt, dropped, refused, error, retried } = this;
    if (!this.stopped) this.onTrip({ position, route, left: this.course?.left, sent, sentAt, unsent: this.unsent.length, dropped, refused, error, retried });
  }

  /** Takes the driver's state, and drives to where its ride needs the car next. */
  follow(state: DriverState): void {
    const goal = state.ride ? goalOf(state.ride) : undefined;
    if (goal?.key === this.goal?.key) return; // the same state comes by poll and by socket

    this.goal = goal;
    this.course = this.route = undefined;
    if (goal) void this.plan(goal);
  }

  private async plan(goal: Goal): Promise<void> {
    try {
      const route = await driver.route(this.position, goal.to);

      // While the route was fetched, the ride may have been cancelled.
      if (this.goal !== goal) return;
      this.route = route.points as [number, number][];
      this.course = new Course(route, speedUp);
    } catch (e) {
      // Without a route the car stands still with a rider who waits: ask again
      // for as long as this is the goal.
      this.fail(e, true);
      if (this.goal === goal) setTimeout(() => void this.plan(goal), fixInterval);
    }
  }

  private async tick(): Promise<void> {
    const at = Date.now();

    // A browser slows the timers of a hidden tab, so drive by the clock, not by ticks.
    const elapsed = at - (this.drivenAt ?? at - fixInterval);
    this.drivenAt = at;
    this.position = this.course ? this.course.drive(elapsed / 1000) : { ...this.position, speed: 0 };

    // Sequence numbers always rise, also when the computer's clock is set back.
    this.seq = Math.max(this.seq + 1, at);
    this.keep({ seq: this.seq, at, accuracy: 5, ...this.position });

    if (this.course?.done) void this.act();
    await this.send();
    this.tell();
  }

  /** Keeps a fix until it is sent. Where too many wait, the oldest that is not in flight is dropped. */
  private keep(fix: Point): void {
    this.unsent = [...this.unsent, fix];
    if (this.unsent.length <= maxUnsent) return;

    // What is in flight may be on the stream already: its answer will say.
    this.unsent = this.unsent.filter((_, i) => i !== this.inFlight);
    this.dropped++;
  }

  private async send(): Promise<void> {
    // One request at a time keeps the points in order.
    if (this.sending || this.unsent.length === 0) return;
    this.sending = true;

    const batch = this.unsent.slice(0, maxBatch);
    this.inFlight = batch.length;
    try {
      const answer = await driver.sendPoints(batch);

      // Points are forgotten only now: the answer says that they are on the stream, or
      // that they will never be.
      this.settle(batch, batch.at(-1)?.seq ?? 0, answer.refused.length);
      this.error = undefined;
    } catch (e) {
      // The points wait, and are sent with the next ones. Some may be on the stream
      // already: readers know a repeated point by its sequence number.
      const never = e instanceof Problem && e.status === 400;
      this.fail(e, !never);

      // The server will never accept this batch: give it up, and go on with new points.
      // Else what it says to be durable is not sent again.
      const { accepted_through = 0, refused } = (e instanceof Problem && (e.body as Partial<PointsAccepted>)) || {};
      if (never) this.settle(batch, batch.at(-1)?.seq ?? 0, batch.length);
      else this.settle(batch, accepted_through, (refused ?? []).filter((r) => r.seq <= accepted_through).length);
    } finally {
      this.sending = false;
      this.inFlight = 0;
    }
  }

  /** Counts the points of a batch up to a sequence as sent, but those that were refused. */
  private settle(batch: Point[], through: number, refused: number): void {
    const settled = batch.filter((p) => p.seq <= through).length;
    this.unsent = this.unsent.filter((p) => p.seq > through);

    this.refused += refused;
    if (settled === refused) return;
    this.sent += settled - refused;
    this.sentAt = Date.now();
  }

  /** Tells the server that the car is there. After an error the next tick tries again. */
  private async act(): Promise<void> {
    const goal = this.goal;
    if (!goal || this.acting) return;
    this.acting = true;
    try {
      await driver.act(goal.ride.id, goal.action);
    } catch (e) {
      this.fail(e, true);
    } finally {
      this.acting = false;
      this.onActed();
    }
  }
}

function goalOf(ride: Ride): Goal | undefined {
  const key = `${ride.id} ${ride.state}`;

  switch (ride.state) {
    case "assigned":
      return { key, ride, to: ride.pickup, action: "arrive" };
    case "arrived":
      return { key, ride, to: ride.pickup, action: "pick-up" };
    case "picked_up":
      return { key, ride, to: ride.dropoff, action: "drop-off" };
    default:
      return undefined;
  }
}
