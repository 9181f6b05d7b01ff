// Package faults makes the emulator fail on purpose: the failures that a client
// of AWS must live with, as often as asked for, the same ones for the same seed.
//
//	PUT    /_aws/faults   replaces the rules by those of a JSON list
//	POST   /_aws/faults   adds to them
//	GET    /_aws/faults   shows them, and how often each has hit
//	DELETE /_aws/faults   clears them
//
// A rule names an operation, a kind of failure, and how likely it is:
//
//	[{"operation": "PutRecords", "kind": "error", "code": "ProvisionedThroughputExceededException", "probability": 0.1, "seed": 7}]
//
//	error             answers with code (and status), and does nothing
//	latency           waits latency_ms, then goes on
//	lost_answer       does it, and closes the connection without an answer
//	reset             resets the connection, and does nothing
//	duplicate         does it twice, and answers once, with the first answer
//	reorder           ReceiveMessage, standard queues: shuffles the messages
//	expired_iterator  GetRecords: ExpiredIteratorException
//
// A request meets the rules in their order: latencies add up, and of the others
// the first that hits is the last that is asked. Each rule draws from its own
// generator: whether the n-th request that comes to it hits is a matter of its
// seed alone.
//
// Rules are in memory: a restart is without them. They change what every client
// sees, so they are only taken from this machine, as JSON, and only where
// Options.On; else the answer says how to turn them on.
package faults
