import type { Bounds } from "../map/projection";
import { decodePlayback, type PlaybackPage } from "./playback";
import type { Comparison, DeadLetterDetail, DeadLetters, DriverState, Earnings, Message, OperationsAct, Overview, Place, Point, PointsAccepted, Quote, ReaderShards, Ride, RideEvent, RideQueue, RideWorker, Role, Route, StreamTrace, Summary } from "./types";

/** A request that was refused, with the server's explanation. Status 0: no server was reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly body: unknown = undefined, // the rest of what the server said
  ) {
    super(detail);
  }

  /** Whether the same request may succeed a moment later. */
  get temporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

/** Tells whoever listens that a role's request was refused (401): nobody is signed in any more. */
export const signedOut = new EventTarget();

const requestTimeout = 15_000; // ms
const actTimeout = 35_000; // ms
const unreachable = "This page cannot reach Tandem. Is it still running?";

/** What the server answers, if it grants the request. */
async function answerTo(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    // A request is bounded in time, so that a poll that waits for it goes on.
    response = await fetch(path, { ...init, signal: init.signal ?? AbortSignal.timeout(requestTimeout) });
  } catch {
    throw new Problem(0, unreachable);
  }
  if (response.ok) return response;

  const body = (await response.json().catch(() => undefined)) as { detail?: string } | undefined;
  if (response.status === 401) signedOut.dispatchEvent(new Event(path.split("/")[1] ?? "")); // "/rider/v1/…": a rider
  throw new Problem(response.status, body?.detail ?? unclear(response), body);
}

const unclear = ({ status }: Response) => `The server answered with status ${status}. Try again in a moment.`;

async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await answerTo(path, init);
  if (response.status === 204) return undefined as T;

  // A proxy's page is no JSON: then the status is all that we know.
  const body = (await response.json().catch(() => undefined)) as unknown;
  if (body === undefined) throw new Problem(response.status, unclear(response));
  return body as T;
}

const send = <T>(path: string, method: string, body?: unknown, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  request<T>(path, {
    method,
    ...(signal ? { signal } : {}),
    headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

type Fix = { seq: number; lat: number; lon: number };

/** A ride's events so far: a ride that was refused often has more than one page of them. */
async function allEvents(id: string): Promise<RideEvent[]> {
  const all: RideEvent[] = [];

  for (let after = 0; ; ) {
    const page = await request<{ events: RideEvent[]; next: number }>(`/rider/v1/rides/${id}/events?after=${after}`);
    if (page.events.length === 0) return all;

    all.push(...page.events);
    after = page.next;
  }
}

const latLon = (p: Place) => `${p.lat},${p.lon}`;

export const signIn = (role: Role) => send<{ subject: string }>(`/session/${role}`, "POST");
export const signOut = (role: Role) => send<undefined>(`/session/${role}`, "DELETE");
export const whoAmI = (role: Role) => request<{ subject: string } | undefined>(`/session/${role}`); // undefined: nobody has signed in
export const socketTicket = (role: Role) => send<{ ticket: string }>(`/${role}/v1/socket-ticket`, "POST");

export const viewer = {
  summary: () => request<Summary>("/viewer/v1/summary"),
};

export const rider = {
  quote: (from: Place, to: Place) => request<Quote>(`/rider/v1/quote?pickup=${latLon(from)}&dropoff=${latLon(to)}`),
  route: (from: Place, to: Place) => request<Route>(`/rider/v1/route?from=${latLon(from)}&to=${latLon(to)}`),
  places: (q: string) => request<{ places: Place[] }>(`/rider/v1/places?q=${encodeURIComponent(q)}`),
  nearestPlace: (p: Place) => request<Place>(`/rider/v1/places/near?lat=${p.lat}&lon=${p.lon}`),

  // The server books once for each key, however often it receives the request.
  book: (key: string, pickup: Place, dropoff: Place) =>
    send<Ride>("/rider/v1/rides", "POST", { pickup, dropoff }, { "Idempotency-Key": key }),
  ride: (id: string) => request<Ride>(`/rider/v1/rides/${id}`),
  rides: (limit: number) => request<{ rides: Ride[] }>(`/rider/v1/rides?limit=${limit}`), // the latest first
  events: allEvents,
  cancel: (id: string) => send<Ride>(`/rider/v1/rides/${id}/cancel`, "POST", { reason: "changed my mind" }),
  streamTrace: (id: string, after: number) => request<StreamTrace>(`/rider/v1/rides/${id}/stream?after=${after}`),
  queueLook: (id: string, message: string | undefined) => request<RideQueue>(`/rider/v1/rides/${id}/queue?message=${encodeURIComponent(message ?? "")}`),
  worker: (id: string) => request<RideWorker>(`/rider/v1/rides/${id}/worker`),
  inbox: () => request<{ messages: Message[] }>("/rider/v1/inbox"),
};

export const driver = {
  state: () => request<DriverState>("/driver/v1/drivers/me"),
  earnings: () => request<Earnings>("/driver/v1/drivers/me/earnings"),
  setDuty: (on_duty: boolean) => send<DriverState>("/driver/v1/drivers/me/duty", "PUT", { on_duty }),
  answerOffer: (offer: string, accept: boolean) => send<Ride>(`/driver/v1/offers/${offer}/${accept ? "accept" : "refuse"}`, "POST"),
  act: (ride: string, action: "arrive" | "pick-up" | "drop-off") => send<Ride>(`/driver/v1/rides/${ride}/${action}`, "POST"),

  route: (from: Place, to: Place) => request<Route>(`/driver/v1/route?from=${latLon(from)}&to=${latLon(to)}`),
  lastPoint: (subject: string) => request<Fix>(`/driver/v1/drivers/${subject}/last`),
  ride: (id: string) => request<Ride>(`/driver/v1/rides/${id}`),
  sendPoints: (points: Point[]) => send<PointsAccepted>("/driver/v1/points", "POST", { points }),
};

export type Act = "late" | "lose" | "jobs" | "skip" | "sns" | "sns_late" | "restart";

// No login: whoever looks is a viewer.
export const compare = {
  look: (viewer: string, cursor: string, signal: AbortSignal) =>
    request<Comparison>(`/viewer/v1/compare?viewer=${viewer}&cursor=${encodeURIComponent(cursor)}`, { signal }),
  act: (viewer: string, act: Act) => send<undefined>("/viewer/v1/compare/acts", "POST", { viewer, act }),
};

export type ReaderAct = "pause" | "resume" | "seek" | "park" | "skip";

/** What an act on a reader is on: without shards on all of them. */
export interface ReaderAsk {
  why: string;
  shards?: string[];
  to?: string; // of seek
  record?: string; // of park and skip
}

export const admin = {
  overview: () => request<Overview>("/admin/v1/overview"),
  killWorker: (ride: string) => send<NonNullable<RideWorker["holder"]>>(`/admin/v1/rides/${ride}/worker/kill`, "POST"),
  ride: (id: string) => request<Ride>(`/admin/v1/rides/${id}`),
  deadLetters: () => request<DeadLetters>("/admin/v1/dead-letters"),
  // To see one is to receive it: like an act it waits until nobody else holds it.
  deadLetter: (place: string, id: string, gone: AbortSignal) =>
    request<DeadLetterDetail>(`/admin/v1/dead-letters/${place}/${id}`, { signal: AbortSignal.any([gone, AbortSignal.timeout(actTimeout)]) }),
  acts: () => request<{ acts: OperationsAct[] }>("/admin/v1/operations/acts?limit=20"),
  // An act waits until nobody else holds the message, which takes longer than other requests may.
  redrive: (place: string, id: string, why: string) => send<OperationsAct>(`/admin/v1/dead-letters/${place}/${id}/redrive`, "POST", { why }, {}, AbortSignal.timeout(actTimeout)),
  discard: (place: string, id: string, why: string) => send<OperationsAct>(`/admin/v1/dead-letters/${place}/${id}/discard`, "POST", { why }, {}, AbortSignal.timeout(actTimeout)),
  redriveAll: (place: string, rate: number, why: string) => send<OperationsAct>(`/admin/v1/dead-letters/${place}/redrive`, "POST", { rate, why }, {}, AbortSignal.timeout(actTimeout)),
  cancelRedrive: (place: string) => send<OperationsAct>(`/admin/v1/dead-letters/${place}/redrive/cancel`, "POST", {}),
  readers: () => request<ReaderShards>("/admin/v1/readers"),
  // A record that is set aside is read from the stream first.
  actOnReader: (reader: string, act: ReaderAct, ask: ReaderAsk) =>
    send<OperationsAct>(`/admin/v1/readers/${encodeURIComponent(reader)}/${act}`, "POST", ask, {}, AbortSignal.timeout(actTimeout)),
  lastPoint: (driver: string) => request<Fix>(`/admin/v1/drivers/${encodeURIComponent(driver)}/last`),
  playback: async (ask: PlaybackAsk, gone: AbortSignal): Promise<PlaybackPage> => {
    const init = { headers: { Accept: "application/octet-stream" }, signal: AbortSignal.any([gone, AbortSignal.timeout(requestTimeout)]) };
    const response = await answerTo(`/admin/v1/playback?${playbackQuery(ask)}`, init);
    const bytes = await response.arrayBuffer().catch(() => {
      throw new Problem(0, unreachable); // it broke off
    });
    return decodePlayback(bytes);
  },
};

/** What to play: all drivers in a box, by when their points arrived. */
export interface PlaybackAsk {
  box: Bounds;
  from: number; // ms, as to
  to: number;
  step: number | undefined; // seconds of which each driver's first point is enough; undefined: all points
  after: string | undefined; // the next of the page before
}

function playbackQuery({ box, from, to, step, after }: PlaybackAsk): URLSearchParams {
  const query = new URLSearchParams({ box: [box.west, box.south, box.east, box.north].join(), from: String(from), to: String(to) });
  if (step !== undefined) query.set("step", String(step));
  if (after !== undefined) query.set("after", after);
  return query;
}
