// Package faults lets the emulator fail on purpose: with the failures that a client
// of AWS must handle, as often as a rule asks for, and the same ones for the same
// seed.
//
//	PUT    /_aws/faults   replaces the rules by those of a JSON list
//	POST   /_aws/faults   adds to them
//	GET    /_aws/faults   returns them, and how often each has hit
//	DELETE /_aws/faults   clears them
//
// A rule names an operation, a kind of failure, and how likely it is:
//
//	[{"operation": "PutRecords", "kind": "error", "code": "ProvisionedThroughputExceededException", "probability": 0.1, "seed": 7}]
//
//	error             answers with code (and status), and does nothing
//	latency           waits latency_ms, then goes on
//	lost_answer       does the call, and closes the connection without an answer
//	reset             resets the connection (HTTP/2: the call's stream), and does nothing
//	duplicate         does the call twice, and returns the first answer
//	reorder           ReceiveMessage, standard queues: shuffles the messages
//	expired_iterator  GetRecords: ExpiredIteratorException
//
// The rules are tried on a request in their order: latencies add up, and the first
// other rule that hits ends the trial. Each rule has its own random generator:
// whether its n-th request is hit depends on its seed alone.
//
// Rules are in memory: a restart forgets them. They change what every client sees,
// so they are only taken from this machine, as JSON, and only if Options.On;
// otherwise the answer says how to turn faults on.
package faults
