import type { Bounds } from "../map/projection";
import { socketTicket } from "./client";
import { decodeFrame, type Frame } from "./frame";
import type { DriverState, RideEvent, Role } from "./types";

export type TextFrame =
  | { type: "hello"; version: number; you: string }
  | { type: "ride_event"; event: RideEvent }
  | { type: "driver_state"; state: DriverState }
  | { type: "vehicle"; driver_id: string; vehicle: number }
  | { type: "error"; problem: { detail?: string } };

export type Link = "connecting" | "live" | "lost";

export interface LiveEvents {
  frame(frame: Frame): void;
  text(text: TextFrame): void;
  link(link: Link): void;
}

const firstWait = 500;
const longestWait = 8_000;

/**
 * The one socket of a tab. It comes back by itself, waiting longer each time,
 * and then says again what the page looks at and listens to.
 */
export class LiveSocket {
  private socket: WebSocket | undefined;
  private view: Bounds | undefined;
  private asks = new Map<string, object>();
  private wait = firstWait;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private connecting = false;
  private closed = false;

  constructor(
    private readonly role: Role,
    private readonly on: LiveEvents,
  ) {
    void this.connect();
  }

  look(view: Bounds): void {
    this.view = view;
    this.say({ type: "view", ...view });
  }

  /** Listens to a ride, until the page is left. */
  followRide(rideId: string): void {
    this.listen(`ride ${rideId}`, { type: "ride", ride_id: rideId });
  }

  /** Listens to the driver's own duty and offers. */
  followDriver(): void {
    this.listen("driver", { type: "driver" });
  }

  retryNow(): void {
    if (this.socket || this.connecting || this.closed) return;
    clearTimeout(this.timer);
    this.wait = firstWait;
    void this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  private listen(key: string, ask: object): void {
    if (this.asks.has(key)) return;
    this.asks.set(key, ask);
    this.say(ask);
  }

  private say(what: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(what));
  }

  private async connect(): Promise<void> {
    this.on.link("connecting");
    this.connecting = true;
    try {
      const { ticket } = await socketTicket(this.role);
      if (this.closed) return;
      this.open(ticket);
    } catch {
      this.again();
    } finally {
      this.connecting = false;
    }
  }

  private open(ticket: string): void {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/${this.role}/socket?ticket=${encodeURIComponent(ticket)}`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.wait = firstWait;
      this.on.link("live");
      if (this.view) this.look(this.view);
      this.asks.forEach((ask) => this.say(ask));
    };
    socket.onmessage = (m: MessageEvent<ArrayBuffer | string>) => {
      if (typeof m.data === "string") this.on.text(JSON.parse(m.data) as TextFrame);
      else this.on.frame(decodeFrame(m.data));
    };
    socket.onclose = () => this.again();
  }

  private again(): void {
    this.socket = undefined;
    if (this.closed) return;
    this.on.link("lost");
    this.timer = setTimeout(() => void this.connect(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, longestWait);
  }
}
