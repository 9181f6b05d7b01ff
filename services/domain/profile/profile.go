// Package profile has every time-out of Tandem in one struct, so that tests
// and chaos runs can shrink them together and a reader can see how they fit.
package profile

import (
	"fmt"
	"time"

	"tandem/services/internal/queue/autoscale"
)

// WorkerHolds is how many ride requests a dispatch worker has in flight at most.
const WorkerHolds = 5

// Profile is the set of time-outs. All are wall clock; --speed changes none.
type Profile struct {
	// Queue side.
	Visibility time.Duration // a received ride request stays invisible this long without a heartbeat
	// NoticeVisibility is the same of a notification, which takes a second; a heartbeat
	// keeps the one that takes longer. The ride's next notifications wait as long for
	// one whose receive lost its answer, so it is short.
	NoticeVisibility time.Duration

	Offer         time.Duration // a driver may answer an offer for this long
	NoDriverDelay time.Duration // a request that found no driver comes back after this
	SweepEvery    time.Duration // the sweeper's period
	ExpiresAfter  time.Duration // a ride without a driver is closed as unfulfilled after this
	LifeWithin    time.Duration // no driver is looked for any more after this, however many were lost
	ArriveWithin  time.Duration // the sweeper looks at an assigned ride whose driver has not arrived by then
	TripWithin    time.Duration // the sweeper looks at a trip that has not ended by then
	Margin        time.Duration // added to every wake_at

	// KeepFor is how long after its end a ride stays, with its events, and after its
	// delivery a notice. So long a rider can dispute a ride, an Idempotency-Key counts,
	// and a message that comes again finds what was done: SQS keeps one for 28 days, half
	// of them as a dead letter.
	KeepFor time.Duration

	// Workers says how many dispatch workers there are for the requests that wait, and
	// ScaleEvery is the time between two such decisions.
	Workers    autoscale.Policy
	ScaleEvery time.Duration

	// Stream side.
	Lease     time.Duration // a shard's owner is trusted for this long after it last renewed
	PollEvery time.Duration // between two GetRecords of one reader on one shard at the tip
	Backoff   time.Duration // the longest wait between two tries to apply a batch that fails
	Linger    time.Duration // the producer waits this long for more points of a bucket
	PutWithin time.Duration // a batch of points is durable by then or answered with 503
}

const keepFor = 90 * 24 * time.Hour

// Default is what the demo and production run with.
func Default() Profile {
	return Profile{
		Visibility: 30 * time.Second, NoticeVisibility: 6 * time.Second, Offer: 25 * time.Second, NoDriverDelay: 5 * time.Second,
		SweepEvery: 5 * time.Second, ExpiresAfter: 10 * time.Minute, ArriveWithin: 20 * time.Minute,
		LifeWithin: time.Hour, TripWithin: time.Hour, Margin: 2 * time.Second, KeepFor: keepFor,
		// Handling is what sqsworker_handler_seconds says in the demo: a driver answers
		// after 1 to 6 seconds, and one in ten refuses. A worker is there 2 seconds after
		// it was asked for.
		Workers: autoscale.Policy{
			Min: 2, Max: 6, Latency: 10 * time.Second, Holds: WorkerHolds, Handling: 4 * time.Second,
			WarmUp: 15 * time.Second, ScaleInAfter: time.Minute, Fresh: 15 * time.Second,
		},
		ScaleEvery: 5 * time.Second,
		Lease:      10 * time.Second, PollEvery: 500 * time.Millisecond, Backoff: 15 * time.Second, Linger: 100 * time.Millisecond,
		PutWithin: 8 * time.Second,
	}
}

// Fast is Default shrunk for tests and chaos runs.
func Fast() Profile {
	return Profile{
		Visibility: 3 * time.Second, NoticeVisibility: 2 * time.Second, Offer: 2 * time.Second, NoDriverDelay: time.Second,
		SweepEvery: 500 * time.Millisecond, ExpiresAfter: 30 * time.Second, ArriveWithin: 20 * time.Second,
		LifeWithin: 2 * time.Minute, TripWithin: 30 * time.Second, Margin: 500 * time.Millisecond, KeepFor: keepFor,
		Workers: autoscale.Policy{
			Min: 2, Max: 6, Latency: 2 * time.Second, Holds: WorkerHolds, Handling: time.Second,
			WarmUp: 3 * time.Second, ScaleInAfter: 6 * time.Second, Fresh: 3 * time.Second,
		},
		ScaleEvery: time.Second,
		Lease:      2 * time.Second, PollEvery: 100 * time.Millisecond, Backoff: 200 * time.Millisecond, Linger: 20 * time.Millisecond,
		PutWithin: 4 * time.Second,
	}
}

// ByName returns Default for "default" and Fast for "fast".
func ByName(name string) (Profile, error) {
	switch name {
	case "", "default":
		return Default(), nil
	case "fast":
		return Fast(), nil
	}
	return Profile{}, fmt.Errorf("profile %q is not known; use default or fast", name)
}
