package sqsworker

import (
	"context"
	"sync"
	"time"
)

// slots are the places for messages in flight. It must not be copied.
type slots struct {
	mu   sync.Mutex
	free int
	soon int           // not free yet: their messages wait for the answer to a delete
	more chan struct{} // buffered: holds a token when free or soon has changed
}

func newSlots(n int) *slots { return &slots{free: n, more: make(chan struct{}, 1)} }

// change adds to free and to soon, in one step.
func (s *slots) change(free, soon int) {
	s.mu.Lock()
	s.free += free
	s.soon += soon
	s.mu.Unlock()
	s.signal()
}

func (s *slots) signal() {
	select {
	case s.more <- struct{}{}:
	default: // the token that is there will do
	}
}

// take waits for at least so many free slots and takes up to most. It returns 0 when ctx
// has ended. The slots of a batch of deletes come free one after the other. A receive for the
// first of them would fetch one message, and each later batch would be as small, so
// take waits for the others too, but no longer than linger.
func (s *slots) take(ctx context.Context, least, most int, linger time.Duration) int {
	var late <-chan time.Time
	for waited := false; ctx.Err() == nil; {
		s.mu.Lock()
		n := min(s.free, most)
		enough := n == most || n >= least && (s.soon == 0 || waited)
		if enough {
			s.free -= n
		}
		s.mu.Unlock()
		if enough {
			s.signal() // what is left is for another poller
			return n
		}

		if n >= least && late == nil {
			late = time.After(linger)
		}
		select {
		case <-ctx.Done():
		case <-s.more:
		case <-late:
			waited = true
		}
	}
	return 0
}
