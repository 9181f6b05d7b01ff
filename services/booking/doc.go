// Package booking is the riders' and drivers' API for rides and offers. It
// checks, quotes and answers; what a ride may do next is package ride's
// decision. Beside HTTP it runs the outbox's relay and the sweeper, and deletes old rides.
//
//	POST /v1/rides ─► one transaction: ride + event + outbox row ─► 201
//	                                                   └─ relay ─► SQS
//
// 201 means that the ride will reach an end, whatever dies: its row is
// committed, and the sweeper looks at every ride that nothing else moves.
//
// Several bookings may run: the relay works in one of them at a time, and a sweep
// skips rides that another one has locked.
//
// A driver arrives, and picks up, within 1,000 m of the pick-up: nearby is asked
// where the driver is. Unknown is not elsewhere: where nearby is away, or the last
// fix is older than 10 s, the driver is believed.
package booking
