package kinesisproducer

import (
	"context"
	"fmt"
	"time"
)

const (
	// stuckAfter is how long a record must have failed before it counts against
	// Ready: a throttled call is ordinary, and is repeated within that time.
	stuckAfter = 2 * time.Second
	// busyFor is how long a bucket counts as in use after its last record.
	busyFor = 10 * time.Second
)

// Ready returns nil, or why records fail, if at least half of the buckets that
// are in use have had none acknowledged for a while. One hot bucket makes
// only its own keys wait, so the producer stays ready.
func (p *Producer) Ready(context.Context) error {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()

	stuck, busy := 0, 0
	var why error
	for i := range p.queues {
		q := &p.queues[i]
		switch {
		case q.fail != nil:
			// What was refused is not sent again: nothing fails since then, so one
			// refusal alone is no reason, and refusals are none for ever.
			until := now
			if len(q.inFlight) == 0 {
				until = q.failed
			}
			if now.Sub(until) >= busyFor {
				continue
			}
			busy++
			if until.Sub(q.failing) >= stuckAfter {
				stuck, why = stuck+1, q.fail
			}
		case now.Sub(q.acked) < busyFor:
			busy++
		}
	}

	if stuck == 0 || 2*stuck < busy {
		return nil
	}
	return fmt.Errorf("%d of %d buckets in use have had nothing taken for %s: %w", stuck, busy, stuckAfter, why)
}

// note keeps why a record failed, nil if it was acknowledged; mu is held.
func (p *Producer) note(bucket int, err error) {
	q, now := &p.queues[bucket], time.Now()
	switch {
	case err == nil:
		q.acked = now
	case q.fail == nil || now.Sub(q.failed) >= busyFor:
		q.failing = now
	}

	// Only the first failure of a cause after a success is logged: while the stream is
	// away, there are many in each second.
	if err != nil {
		if cause := CauseOf(err); !p.fails(cause, now) {
			p.say(cause, err)
		}
		q.failed = now
		p.o.Failed(bucket, CauseOf(err))
	}
	q.fail = err
}

// say logs why records are not taken: as an error where somebody has to mend something.
func (p *Producer) say(cause Cause, err error) {
	log := p.o.Log.With("stream", p.o.Stream, "cause", string(cause), "err", err)
	switch cause {
	case Throttled, Unavailable:
		log.Warn("records were not taken by the stream; they are sent again")
	case Refused:
		log.Error("the stream refuses data for good; its Put ends with ErrRefused")
	default:
		log.Error("records are not taken by the stream until somebody mends that; they are sent again")
	}
}

// fails reports whether a bucket's last record failed of this cause, and lately; mu is held.
func (p *Producer) fails(cause Cause, now time.Time) bool {
	for i := range p.queues {
		if q := &p.queues[i]; q.fail != nil && CauseOf(q.fail) == cause && now.Sub(q.failed) < busyFor {
			return true
		}
	}
	return false
}
