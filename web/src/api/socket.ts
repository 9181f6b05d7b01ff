import type { Bounds } from "../map/projection";
import { socketTicket } from "./client";
import { decodeFrame, type Frame } from "./frame";
import type { DriverState, RideEvent, Role } from "./types";

export type TextFrame =
  | { type: "hello"; version: number; you: string }
  | { type: "ride_event"; event: RideEvent }
  | { type: "driver_state"; state: DriverState }
  | { type: "vehicle"; driver_id: string; vehicle: number }
  | { type: "shown_ride"; ride: ShownRide }
  | { type: "error"; problem: { detail?: string } };

/** A simulated ride, as anybody may see it: nothing in it names it or anybody. */
export interface ShownRide {
  n: number; // tells one from the next
  events: ShownEvent[];
  vehicle: number | null; // its car on the map
}

export interface ShownEvent {
  kind: RideEvent["kind"];
  at: string;
  pid?: number; // of the worker that received the message
  try?: number;
}

export type Connection = "connecting" | "live" | "lost";

export interface SocketHandlers {
  onFrame(frame: Frame): void;
  onUnreadable(error: unknown): void; // a frame that this page cannot decode
  onText(text: TextFrame): void;
  onConnection(connection: Connection): void;
}

const firstRetryDelay = 500; // ms
const longestRetryDelay = 8_000; // ms

// The server sends a frame each second at least. After so long a silence, in ms, the
// connection is taken for lost, although nothing has closed it.
const silentFor = 10_000;

/**
 * The one WebSocket of a tab. When it is lost it connects again by itself, and
 * waits longer after each failure. The server forgets a client that has gone,
 * so the view and the subscriptions are sent again on each new connection.
 */
export class LiveSocket {
  private socket: WebSocket | undefined;
  private view: Bounds | undefined;
  private subscriptions = new Map<string, object>();
  private retryDelay = firstRetryDelay;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private connecting = false;
  private closed = false;

  constructor(
    private readonly role: Role,
    private readonly handlers: SocketHandlers,
  ) {
    void this.connect();
  }

  /** Tells the server which part of the map the page shows. */
  setView(view: Bounds): void {
    this.view = view;
    this.send({ type: "view", ...view });
  }

  /** Subscribes to a ride's events, until the socket is closed. */
  followRide(rideId: string): void {
    this.subscribe(`ride ${rideId}`, { type: "ride", ride_id: rideId });
  }

  /** Subscribes to the ride that is shown to everybody, or ends that. */
  followShown(on: boolean): void {
    if (on) return this.subscribe("shown", { type: "shown_ride" });
    if (this.subscriptions.delete("shown")) this.send({ type: "shown_ride", stop: true });
  }

  /** Subscribes to the driver's own duty and offers. */
  followDriver(): void {
    this.subscribe("driver", { type: "driver" });
  }

  /** Connects now, without waiting for the next retry, also in place of a socket that is silent. */
  retryNow(): void {
    // One attempt at a time: two of them would leave a socket that nobody closes.
    if (this.connecting || this.closed || this.socket?.readyState === WebSocket.CONNECTING) return;

    this.abandon();
    clearTimeout(this.retryTimer);
    this.retryDelay = firstRetryDelay;
    void this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retryTimer);
    this.abandon();
  }

  /** Leaves the socket, if there is one. What it says later is not heard. */
  private abandon(): void {
    clearTimeout(this.silenceTimer);
    const socket = this.socket;
    this.socket = undefined;
    if (!socket) return;

    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** Starts to wait for the next message anew. */
  private listen(): void {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => {
      this.abandon();
      this.retryLater();
    }, silentFor);
  }

  private subscribe(key: string, message: object): void {
    if (this.subscriptions.has(key)) return;
    this.subscriptions.set(key, message);
    this.send(message);
  }

  /** Sends a message if the socket is open. If it is not, open sends it later. */
  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private async connect(): Promise<void> {
    this.handlers.onConnection("connecting");
    this.connecting = true;
    try {
      // A ticket is good for one connection, so each attempt fetches its own.
      const { ticket } = await socketTicket(this.role);

      // The page may have closed this while the ticket was on its way.
      if (this.closed) return;
      this.open(ticket);
    } catch {
      this.retryLater();
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
      this.retryDelay = firstRetryDelay;
      this.handlers.onConnection("live");
      this.listen();
      if (this.view) this.setView(this.view);
      this.subscriptions.forEach((message) => this.send(message));
    };

    socket.onmessage = (m: MessageEvent<ArrayBuffer | string>) => {
      this.listen();
      if (typeof m.data === "string") return this.handlers.onText(JSON.parse(m.data) as TextFrame);

      let frame: Frame;
      try {
        frame = decodeFrame(m.data);
      } catch (error) {
        return this.handlers.onUnreadable(error);
      }
      this.handlers.onFrame(frame);
    };

    // An error is followed by a close as well, so this one handler suffices.
    socket.onclose = () => this.retryLater();
  }

  private retryLater(): void {
    clearTimeout(this.silenceTimer);
    this.socket = undefined;
    if (this.closed) return;
    this.handlers.onConnection("lost");

    // Chance spreads the delay, so that not all tabs come back at one moment
    // to a server that has just started. The delay doubles up to a bound.
    this.retryTimer = setTimeout(() => void this.connect(), this.retryDelay * (0.75 + Math.random() / 2));
    this.retryDelay = Math.min(this.retryDelay * 2, longestRetryDelay);
  }
}
