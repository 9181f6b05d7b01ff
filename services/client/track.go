package client

import (
	"context"
	"errors"
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
// or refused. Fixes may be added while a Flush is under way; one Flush is at a time.
type Track struct {
	session *Session
	limit   int

	mu      sync.Mutex
	last    int64
	pending []Point

	// OnAnswer, when set, hears of each batch and its answer: for the ledger.
	OnAnswer func(sent []Point, a PointsAnswer)
}

// NewTrack continues after the sequence last. At most limit points wait.
func NewTrack(s *Session, last int64, limit int) *Track {
	return &Track{session: s, last: last, limit: limit}
}

// ErrFull is returned by Add when too many points wait: Tandem has been away
// for long, or the driver is offline.
var ErrFull = errors.New("client: too many points wait to be sent")

// Add numbers a fix and keeps it for the next Flush. The point's Seq is set;
// ErrFull means that the fix was not kept.
func (t *Track) Add(p Point) error {
	t.mu.Lock()
	defer t.mu.Unlock()

	// The new fix is dropped, not the oldest that waits: that one may have been
	// sent already, and stays until an answer names it.
	if len(t.pending) >= t.limit {
		return ErrFull
	}

	p.Seq = NextSeq(t.last, time.UnixMilli(p.At))
	t.last = p.Seq
	t.pending = append(t.pending, p)
	return nil
}

// Waiting is how many points are not known to be durable.
func (t *Track) Waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.pending)
}

// next returns what one request may carry of what waits. It stays as it is: Add
// only appends behind it.
func (t *Track) next() []Point {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pending[:min(len(t.pending), MaxBatch)]
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
		switch {
		case err == nil || answer.Status == http.StatusBadRequest:
			t.drop(batch[len(batch)-1].Seq) // all of it accepted or refused by name
		case answer.AcceptedThrough > 0:
			t.drop(answer.AcceptedThrough)
		}
		if err != nil {
			return fmt.Errorf("send points of %s: %w", t.session.Subject(), err)
		}
	}
	return nil
}

func (t *Track) drop(through int64) {
	t.mu.Lock()
	defer t.mu.Unlock()

	n := 0
	for n < len(t.pending) && t.pending[n].Seq <= through {
		n++
	}

	t.pending = slices.Clone(t.pending[n:]) // the array of what was sent can be freed
}
