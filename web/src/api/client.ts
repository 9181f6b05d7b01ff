import type { DriverState, StreamTrace, Message, Overview, Place, Point, Quote, Ride, RideEvent, Role, Route } from "./types";

/** A refusal, with what the server says about it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {
    super(detail);
  }
}

const unreachable = "Tandem cannot be reached. Is it still running? This page tries again by itself.";

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, { ...init, signal: init.signal ?? AbortSignal.timeout(15_000) });
  } catch {
    throw new Problem(0, unreachable);
  }
  if (answer.status === 204) return undefined as T;
  const body = (await answer.json().catch(() => undefined)) as unknown;
  if (!answer.ok || body === undefined) {
    const detail = (body as { detail?: string } | undefined)?.detail;
    throw new Problem(answer.status, detail ?? `The server answered ${answer.status}. Try again in a moment.`);
  }
  return body as T;
}

const send = <T>(path: string, method: string, body?: unknown, headers: Record<string, string> = {}) =>
  ask<T>(path, {
    method,
    headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const pair = (p: Place) => `${p.lat},${p.lon}`;

export const signIn = (role: Role) => send<{ subject: string }>(`/session/${role}`, "POST");
export const whoAmI = (role: Role) => ask<{ subject: string }>(`/session/${role}`);
export const signOut = (role: Role) => send<void>(`/session/${role}`, "DELETE");
export const socketTicket = (role: Role) => send<{ ticket: string }>(`/${role}/v1/socket-ticket`, "POST");

export const rider = {
  quote: (from: Place, to: Place) => ask<Quote>(`/rider/v1/quote?pickup=${pair(from)}&dropoff=${pair(to)}`),
  route: (from: Place, to: Place) => ask<Route>(`/rider/v1/route?from=${pair(from)}&to=${pair(to)}`),
  places: (q: string) => ask<{ places: Place[] }>(`/rider/v1/places?q=${encodeURIComponent(q)}`),
  near: (p: Place) => ask<Place>(`/rider/v1/places/near?lat=${p.lat}&lon=${p.lon}`),
  book: (key: string, pickup: Place, dropoff: Place) =>
    send<Ride>("/rider/v1/rides", "POST", { pickup, dropoff }, { "Idempotency-Key": key }),
  ride: (id: string) => ask<Ride>(`/rider/v1/rides/${id}`),
  latest: () => ask<{ rides: Ride[] }>("/rider/v1/rides?limit=1"),
  events: (id: string) => ask<{ events: RideEvent[] }>(`/rider/v1/rides/${id}/events`),
  cancel: (id: string) => send<Ride>(`/rider/v1/rides/${id}/cancel`, "POST", { reason: "changed my mind" }),
  hood: (id: string) => ask<StreamTrace>(`/rider/v1/rides/${id}/stream`),
  inbox: () => ask<{ messages: Message[] }>("/rider/v1/inbox"),
};

export const driver = {
  me: () => ask<DriverState>("/driver/v1/drivers/me"),
  duty: (on_duty: boolean) => send<DriverState>("/driver/v1/drivers/me/duty", "PUT", { on_duty }),
  answer: (offer: string, yes: boolean) => send<Ride>(`/driver/v1/offers/${offer}/${yes ? "accept" : "refuse"}`, "POST"),
  act: (ride: string, what: "arrive" | "pick-up" | "drop-off") => send<Ride>(`/driver/v1/rides/${ride}/${what}`, "POST"),
  route: (from: Place, to: Place) => ask<Route>(`/driver/v1/route?from=${pair(from)}&to=${pair(to)}`),
  last: (subject: string) => ask<{ seq: number; lat: number; lon: number }>(`/driver/v1/drivers/${subject}/last`),
  points: (points: Point[]) => send<{ accepted_through: number }>("/driver/v1/points", "POST", { points }),
};

export const admin = {
  overview: () => ask<Overview>("/admin/v1/overview"),
};
