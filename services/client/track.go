package client

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// NextSeq returns the sequence of a fix: it rises strictly, and is the fix's
// time where it can be.
func NextSeq(last int64, at time.Time) int64 { return max(last+1, at.UnixMilli()) }

// Track is a driver's points that are not durable yet: numbered when they are
// added, sent in order with one batch in flight, kept until they are accepted
// or refused. While Tandem cannot be reached they wait, and the oldest are dropped
// where they become too many. Fixes may be added while a Flush is under way; one Flush
// is at a time.
type Track struct {
	session *Session
	limit   int

	mu       sync.Mutex
	last     int64
	pending  []Point
	inFlight int // how many of pending, from its start, the request under way carries
	dropped  int64

	// OnAnswer, when set, hears of each batch and its answer: for the ledger. It may
	// not keep the batch.
	OnAnswer func(sent []Point, a PointsAnswer)
}

// NewTrack continues after the sequence last. At most limit points wait.
func NewTrack(s *Session, last int64, limit int) *Track {
	return &Track{session: s, last: last, limit: limit}
}

// Add numbers a fix and keeps it for the next Flush; the point's Seq is set. Where
// more than the limit would wait, the oldest that is not in flight is dropped, and
// counted.
func (t *Track) Add(p Point) {
	t.mu.Lock()
	defer t.mu.Unlock()

	p.Seq = NextSeq(t.last, time.UnixMilli(p.At))
	t.last = p.Seq
	t.pending = append(t.pending, p)

	// The oldest is what matters least to who looks for the car. One that is in flight
	// may be durable in this moment, and its answer is still to be read.
	if len(t.pending) > t.limit {
		t.pending = slices.Delete(t.pending, t.inFlight, t.inFlight+1)
		t.dropped++
	}
}

// Dropped is how many points were given up because too many waited. One whose answer
// was lost may be durable all the same.
func (t *Track) Dropped() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dropped
}

// Waiting is how many points are not known to be durable.
func (t *Track) Waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.pending)
}

// next returns what one request may carry of what waits, which is then in flight: it
// stays as it is until settle.
func (t *Track) next() []Point {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight = min(len(t.pending), MaxBatch)
	return t.pending[:t.inFlight]
}

// Flush sends what waits, once: what piled up during one request goes with the
// next. A temporary error leaves the rest for the next Flush; points that are
// refused are dropped, named in the answer.
func (t *Track) Flush(ctx context.Context) error {
	for batch := t.next(); len(batch) > 0; batch = t.next() {
		answer, err := t.session.SendPoints(ctx, batch)
		if t.OnAnswer != nil {
			t.OnAnswer(batch, answer)
		}

		// A point leaves only when an answer named it; without one it is sent again
		// under the same sequence, by which readers know a repeat.
		through := answer.AcceptedThrough
		if err == nil || answer.Status == http.StatusBadRequest {
			through = batch[len(batch)-1].Seq // all of it accepted or refused by name
		}
		t.settle(through)
		if err != nil {
			return fmt.Errorf("send points of %s: %w", t.session.Subject(), err)
		}
	}
	return nil
}

// settle forgets what is settled up to a sequence, 0: nothing; nothing is in flight
// any more.
func (t *Track) settle(through int64) {
	t.mu.Lock()
	defer t.mu.Unlock()

	n := 0
	for n < t.inFlight && t.pending[n].Seq <= through {
		n++
	}

	t.inFlight = 0
	t.pending = slices.Clone(t.pending[n:]) // the array of what was sent can be freed
}
