package console

import (
	"context"
	"sync"
	"time"
)

const (
	// patience is how long an answer of the console waits for its parts: one that
	// is frozen delays nobody's numbers for longer.
	patience = 500 * time.Millisecond
	// askWithin is how long a part may take. Its answer then stands in the next
	// overview.
	askWithin = 2500 * time.Millisecond
	// freshFor is how old what a part has said may be; then it is stale.
	freshFor = 3 * time.Second
)

// part is something that the console asks. It remembers the last answer and when
// that came: of a part that is silent the last is shown, with its age. It is safe
// for concurrent use.
type part[T any] struct {
	ask func(ctx context.Context) (T, error)
	now func() time.Time

	mu     sync.Mutex
	last   T
	heard  time.Time // zero: never
	err    error     // why the last ask failed
	asking bool
}

// begin asks, and returns what closes when the answer is there. A part that still
// owes an answer is not asked again, and nil is returned: who waited for it once
// need not do so again.
func (p *part[T]) begin(ctx context.Context) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asking {
		return nil
	}
	p.asking = true

	done := make(chan struct{})
	go func() {
		defer close(done)

		// The ask outlives the overview that began it, since the next one has its
		// answer; so it has its own deadline.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
		defer cancel()
		answer, err := p.ask(ctx)

		p.mu.Lock()
		defer p.mu.Unlock()
		p.asking, p.err = false, err
		if err == nil {
			p.last, p.heard = answer, p.now()
		}
	}()
	return done
}

// look returns the last answer and when it came, zero if never, and whether it is
// fresh: the newest ask did not fail, and the answer is not old.
func (p *part[T]) look(now time.Time) (last T, heard time.Time, fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last, p.heard, p.err == nil && !p.heard.IsZero() && now.Sub(p.heard) <= freshFor
}

// failure returns why the newest ask failed, or nil.
func (p *part[T]) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// await waits until all are done, for at most patience.
func await(all []<-chan struct{}) {
	late := time.NewTimer(patience)
	defer late.Stop()
	for _, done := range all {
		if done == nil {
			continue
		}
		select {
		case <-done:
		case <-late.C:
			return
		}
	}
}

// orNil returns a time as JSON tells it: null where there is none.
func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
