package autoscale

import (
	"fmt"
	"time"
)

// Policy is what the workers are held to. All of its fields must be set.
type Policy struct {
	Min, Max int // workers

	// Latency is how long a message may wait for a worker: the target.
	Latency time.Duration
	// Holds is how many messages one worker has in flight at most, and Handling how
	// long it has one, on average. Measure Handling; the rate follows from both.
	Holds    int
	Handling time.Duration

	// WarmUp is how long a new worker takes until it works at its rate. As long does
	// a scale-out wait for the effect of the one before.
	WarmUp time.Duration
	// ScaleInAfter is how long one worker fewer must have been enough, without a
	// break, before one is retired.
	ScaleInAfter time.Duration
	// Fresh is how old the newest sample may be, and how far two may be apart. It is
	// a few times the pause between two looks.
	Fresh time.Duration
}

// BusyShare is the share of the places for messages that may be taken after a
// scale-in. The fifth that stays free is what a load may rise before messages wait;
// without it, each scale-in would lead to a scale-out.
const BusyShare = 0.8

// Check returns what is wrong with the policy, or nil.
func (p Policy) Check() error {
	switch {
	case p.Min < 0 || p.Max < 1 || p.Min > p.Max:
		return fmt.Errorf("autoscale: %d to %d workers is no range", p.Min, p.Max)
	case p.Latency <= 0 || p.Holds <= 0 || p.Handling <= 0:
		return fmt.Errorf("autoscale: Latency (%s), Holds (%d) and Handling (%s) must be more than 0", p.Latency, p.Holds, p.Handling)
	case p.WarmUp <= 0 || p.ScaleInAfter <= 0 || p.Fresh <= 0:
		return fmt.Errorf("autoscale: WarmUp (%s), ScaleInAfter (%s) and Fresh (%s) must be more than 0", p.WarmUp, p.ScaleInAfter, p.Fresh)
	}
	return nil
}

// PerMinute is a worker's rate, in messages.
func (p Policy) PerMinute() float64 {
	return float64(p.Holds) * float64(time.Minute) / float64(p.Handling)
}

// Acceptable is how many messages may wait for each worker.
func (p Policy) Acceptable() float64 {
	return float64(p.Holds) * float64(p.Latency) / float64(p.Handling)
}

func (p Policy) within(workers int) int { return min(max(workers, p.Min), p.Max) }
