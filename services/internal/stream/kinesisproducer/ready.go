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
			busy++
			if now.Sub(q.failing) >= stuckAfter {
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
func (p *Producer) note(q *bucketQueue, err error) {
	now := time.Now()
	switch {
	case err == nil:
		q.acked = now
	case q.fail == nil:
		q.failing = now
	}

	// Only the first failure after a success is logged: while the stream is away,
	// there are many in each second.
	if err != nil && !p.anyFails() {
		p.o.Log.Warn("records were not taken by the stream; they are sent again", "stream", p.o.Stream, "err", err)
	}
	q.fail = err
}

func (p *Producer) anyFails() bool {
	for i := range p.queues {
		if p.queues[i].fail != nil {
			return true
		}
	}
	return false
}
