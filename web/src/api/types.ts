// The JSON that the services speak; see docs/openapi.yaml.

export type Role = "viewer" | "rider" | "driver" | "admin";

export interface Place {
  lat: number;
  lon: number;
  label?: string;
}

export interface Money {
  amount_minor: number;
  currency: string;
}

export interface Quote {
  distance_m: number;
  duration_s: number;
  price: Money;
  direct: boolean;
}

export type RideState =
  | "requested" | "offered" | "assigned" | "arrived" | "picked_up" | "completed" | "cancelled" | "unfulfilled";

export interface Ride {
  id: string;
  state: RideState;
  attempt: number;
  driver_id?: string;
  vehicle?: { plate: string; model: string; colour: string };
  pickup: Place;
  dropoff: Place;
  distance_m: number;
  duration_s: number;
  price: Money;
  requested_at: string;
  assigned_at?: string;
  arrived_at?: string;
  picked_up_at?: string;
  ended_at?: string;
  end_reason?: string;
}

export interface RideEvent {
  seq: number;
  ride_id: string;
  kind: string;
  at: string;
  by: string;
  attempt: number;
  data: Record<string, unknown> | null;
}

export interface DriverState {
  driver_id: string;
  on_duty: boolean;
  offer?: { id: string; ride: Ride; expires_at: string };
  ride?: Ride;
}

export interface Route {
  points: [number, number][];
  speeds_mps: number[];
  distance_m: number;
  duration_s: number;
}

export interface Message {
  id: number;
  ride_id: string;
  kind: string;
  text: string;
  at: string;
}

export interface Hood {
  driver_point: { seq: number; shard: string; sequence_number: string; arrived_at: number } | null;
  readers: { reader: string; applied_at: number; after_ms: number }[];
  retention_left_s: number;
}

export interface Overview {
  sentence: string;
  ok: boolean;
  at: string;
  queues: { name: string; dead: boolean; visible: number; in_flight: number; delayed: number; error?: string }[];
  workers: { name: string; ok: boolean; pid: number; handling: number; received: number; done: number; retried: number; dead: number }[];
  shards: { shard: string; points_per_s: number; records_per_s: number; bytes_per_s: number }[];
  readers: {
    reader: string;
    ok: boolean;
    points: number;
    behind_ms: number;
    latency_ms: { p50: number; p99: number; max: number };
    skipped: number;
    parked: number;
  }[];
  rides: { per_minute: number; by_state: Record<string, number> };
  services: { name: string; ok: boolean; pid: number; rss_mb: number }[];
}
