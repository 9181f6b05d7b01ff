// Package simulator is an outsider: drivers and riders who use Tandem over
// HTTP with tokens, like any client (package client). It imports no service and
// reads no table.
//
// Drivers drive along streets at street speeds (times --speed), send one fix a
// second, answer offers in 1 to 6 seconds, refuse one in ten, and go off duty
// for a while. Riders book at places and hours that look like a city. It
// starts warm: as many riders as 30 % of the drivers book at once, each where a
// driver starts.
//
// The same seed makes the same trips: the nth rider's ends come from the seed
// and n alone, a driver's choices from the seed and its number. Idempotency
// keys carry the run's id, so a second run books other rides. Driver ids do not: a
// driver that comes back asks history for its last sequence and goes on. A driver of
// an earlier run who has a ride and is not in this one comes back until it has ended.
//
// Every request that promises something and its answer go to the ledger.
package simulator
