// Short names for the types of docs/openapi.yaml. schema.ts is generated from it.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Role = "viewer" | "rider" | "driver" | "admin";
export type Place = Schemas["Place"];
export type Money = Schemas["Money"];
export type Quote = Schemas["Quote"];
export type Ride = Schemas["Ride"];
export type RideState = Schemas["RideState"];
export type RideWorker = Schemas["RideWorker"];
export type RideEvent = Schemas["RideEvent"];
export type DriverState = Schemas["DriverState"];
export type Earnings = Schemas["Earnings"];
export type Route = Schemas["Route"];
export type Point = Schemas["Point"];
export type PointsAccepted = Schemas["PointsAccepted"];
export type PointRefusal = Schemas["PointRefusal"];
export type Message = Schemas["InboxMessage"];
export type StreamTrace = Schemas["StreamTrace"];
export type RideQueue = Schemas["RideQueue"];
export type RidePoint = Schemas["RidePoint"];
export type Comparison = Schemas["Comparison"];
export type ComparedTeam = Schemas["ComparedTeam"];
export type ComparedJobs = Schemas["ComparedJobs"];
export type Overview = Schemas["Overview"];
export type DeadLetters = Schemas["DeadLetters"];
export type DeadListing = Schemas["DeadListing"];
export type DeadLetter = Schemas["DeadLetter"];
export type DeadLetterDetail = Schemas["DeadLetterDetail"];
export type OperationsAct = Schemas["Act"];
export type ReaderShards = Schemas["GroupShards"];
export type ReaderShard = Schemas["GroupShard"];
export type Summary = Schemas["Summary"];
