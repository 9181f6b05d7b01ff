package supervisor

import (
	"context"
	"fmt"
	"os"
	"time"
)

// askEvery is how often a process is asked for a sign of life, at most, and how
// long it has for one.
const askEvery = 3 * time.Second

// hungError is why a process was killed.
type hungError struct{ silent time.Duration }

func (e hungError) Error() string {
	return fmt.Sprintf("it hung: it answered nothing for %v, and was killed", e.silent.Round(100*time.Millisecond))
}

// watch returns nil when ctx ends. A process that has answered and then answers
// nothing for Options.HungAfter is killed, and watch returns why.
func (p *process) watch(ctx context.Context, proc *os.Process) error {
	after := p.sup.opts.HungAfter
	if p.spec.Answers == nil || after == 0 {
		return nil
	}

	every := min(askEvery, after/5)
	tick := time.NewTicker(every)
	defer tick.Stop()

	s := silence{after: after, most: 2 * every}
	before := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}

		if s.lasted == 0 {
			before = time.Now() // until now it has answered
		}
		try, cancel := context.WithTimeout(ctx, every)
		err := p.spec.Answers(try)
		cancel()

		now := time.Now()
		s.heard = s.heard || p.spec.Ready != nil && p.Status().State == Ready
		hung := s.note(err == nil, now.Sub(before))
		before = now
		if !hung || ctx.Err() != nil {
			continue
		}

		// It cannot be asked to end: whoever answers nothing may not hear that either.
		_ = proc.Kill() // it may have ended by itself
		return hungError{s.lasted}
	}
}

// silence adds up how long a process has answered nothing.
type silence struct {
	after  time.Duration // so long is a hang
	most   time.Duration // that one question counts
	heard  bool          // it has answered, or was ready
	lasted time.Duration
}

// note takes whether one question was answered, and the time since the one before.
// It reports whether the process hangs.
func (s *silence) note(answered bool, since time.Duration) bool {
	if answered {
		s.heard, s.lasted = true, 0
		return false
	}

	// A process that has not answered yet is still starting. And if this process
	// itself stood still (Ctrl-Z, a laptop asleep), that time says nothing.
	if s.heard {
		s.lasted += min(since, s.most)
	}
	return s.lasted >= s.after
}
