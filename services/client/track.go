package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// NextSeq returns the sequence of a fix: it rises strictly, and is the fix's
// time where it can be.
func NextSeq(last int64, at time.Time) int64 { return max(last+1, at.UnixMilli()) }

// Track is a driver's points that are not durable yet: numbered when they are
// added, sent in order with one batch in flight, kept until they are accepted
// or refused. It is for one goroutine.
type Track struct {
	session *Session
	last    int64
	pending []Point
	limit   int
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

// Flush sends what waits, once. A temporary error leaves the rest for the next
// Flush; points that are refused are dropped, named in the answer.
func (t *Track) Flush(ctx context.Context) error {
	for len(t.pending) > 0 {
		batch := t.pending[:min(len(t.pending), MaxBatch)]
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
	n := 0
	for n < len(t.pending) && t.pending[n].Seq <= through {
		n++
	}

	t.pending = slices.Clone(t.pending[n:]) // the array of what was sent can be freed
}
