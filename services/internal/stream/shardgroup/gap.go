package shardgroup

import (
	"time"

	"tandem/services/internal/stream/shardreader"
)

// gap is a span of arrivals that can no longer be read.
type gap struct{ from, to time.Time }

// trimmedBefore returns the gap before a batch, when the record that was applied
// last is no longer kept. If the shard was seen at its tip after that record, and
// what arrived since then is still kept, nothing is missing and there is no gap.
func (r *reading) trimmedBefore(b shardreader.Batch) *gap {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.at.known()
	if len(b.Records) == 0 || r.at.tip.After(r.at.arrived) && known.After(b.AsOf.Add(-r.life.Retention)) {
		return nil
	}
	return &gap{from: known, to: b.Records[0].Arrived}
}

// declareOverdue declares the gap of a checkpoint that is older than retention.
// It does so before anything is read: once the reader has seen the tip again,
// nothing would show that records were missed.
func (r *reading) declareOverdue(at checkpoint) (checkpoint, error) {
	horizon := time.Now().Add(-r.life.Retention)
	if at.known().IsZero() || at.known().After(horizon) {
		return at, nil
	}

	st := r.step(at.Position)
	st.gap, st.tip = &gap{from: at.known(), to: horizon}, horizon
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
	horizon := time.Now().Add(-r.life.Retention)
	from := at.known()
	if from.IsZero() {
		from = r.life.Created // nothing of it was ever applied
	}
	if from.Before(horizon) {
		st.gap = &gap{from: from, to: horizon}
	}
	return r.write(st)
}
