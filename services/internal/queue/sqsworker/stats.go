package sqsworker

import "sync/atomic"

// Stats counts what a worker has done since New.
type Stats struct {
	Handling int64 `json:"handling"` // handlers running now
	Received int64 `json:"received"`
	// Again is how many of the received had been received before, by whatever worker:
	// that try failed, or its worker died, or SQS delivered a copy.
	Again    int64 `json:"again"`
	Done     int64 `json:"done"`
	Retried  int64 `json:"retried"`
	Dead     int64 `json:"dead"`
	Released int64 `json:"released"`
	Lost     int64 `json:"lost"`
	Repeats  int64 `json:"repeats"`
}

type counts struct {
	received, again, done, retried, dead, released, lost, repeats atomic.Int64
}

func (c *counts) add(o Outcome) {
	switch o {
	case OutcomeDone:
		c.done.Add(1)
	case OutcomeRetried:
		c.retried.Add(1)
	case OutcomeDead:
		c.dead.Add(1)
	case OutcomeReleased:
		c.released.Add(1)
	case OutcomeLost:
		c.lost.Add(1)
	case OutcomeRepeats:
		c.repeats.Add(1)
	}
}

// Stats returns the counts as they are now.
func (w *Worker) Stats() Stats {
	return Stats{
		Handling: w.handling.Load(), Received: w.counts.received.Load(), Again: w.counts.again.Load(), Done: w.counts.done.Load(),
		Retried: w.counts.retried.Load(), Dead: w.counts.dead.Load(), Released: w.counts.released.Load(),
		Lost: w.counts.lost.Load(), Repeats: w.counts.repeats.Load(),
	}
}
