package shardgroup

import (
	"time"

	"tandem/services/internal/stream/shardreader"
)

// gap is a span of arrivals that can no longer be read.
type gap struct{ from, to time.Time }

// startWithin is how long after its shards were first listed a group begins to
// read them. It starts with the oldest record kept, and what passes retention in
// the meantime is not missed.
const startWithin = time.Minute

// trimmedBefore returns the gap before a batch, when the record that was applied
// last is no longer kept. If the shard was seen at its tip after that record, and
// what arrived since then is still kept, nothing is missing and there is no gap.
func (r *reading) trimmedBefore(b shardreader.Batch) *gap {
	horizon := b.AsOf.Add(-r.g.retention())
	r.mu.Lock()
	defer r.mu.Unlock()

	known := r.at.known()
	if r.at.tip.After(r.at.arrived) && known.After(horizon) {
		return nil
	}

	// Without a record, nothing of a closed shard is kept: by retention what
	// arrived before the horizon is lost, or else all was dropped early.
	to := horizon
	switch {
	case len(b.Records) > 0:
		to = b.Records[0].Arrived
	case known.After(horizon):
		to = b.AsOf
	}
	if !to.After(known) {
		return nil // declared before this reading began
	}
	return &gap{from: known, to: to}
}

// declareOverdue declares the gap of a checkpoint that is older than retention.
// It does so before anything is read: once the reader has seen the tip again,
// nothing would show that records were missed.
func (r *reading) declareOverdue(at checkpoint) (checkpoint, error) {
	horizon := time.Now().Add(-r.g.retention())
	known, started := at.known(), !at.arrived.IsZero() || !at.tip.IsZero()
	if known.After(horizon) || !started && known.Add(startWithin).After(horizon) {
		return at, nil
	}

	st := r.step(at.Position)
	st.gap, st.tip = &gap{from: known, to: horizon}, horizon
	at.tip = horizon
	return at, r.write(st)
}

// completeGone completes the lease of a shard that the stream no longer keeps,
// with the gap from what was known of it to what can be read.
func (r *reading) completeGone() error {
	r.mu.Lock()
	at := r.at
	r.mu.Unlock()

	st := r.step(at.Position)
	st.closed = true
	if horizon := time.Now().Add(-r.g.retention()); at.known().Before(horizon) {
		st.gap = &gap{from: at.known(), to: horizon}
	}
	return r.write(st)
}
