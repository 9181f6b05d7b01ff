package httpserver

import (
	"sync"
	"time"

	"tandem/services/internal/problem"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"golang.org/x/time/rate"
)

const (
	// maxLimited bounds the subjects that a limiter remembers. The one that was
	// not seen for longest is forgotten first, so an attacker with many addresses
	// costs bounded memory and resets nobody who is still asking.
	maxLimited = 20_000
	// forgetAfter is when a subject that asks nothing more is forgotten: its
	// bucket is full again by then.
	forgetAfter = 10 * time.Minute
)

// Limiter keeps a token bucket for each subject. A nil Limiter allows all. It is
// safe for concurrent use.
type Limiter struct {
	limit Limit
	mu    sync.Mutex // so that two first requests of a subject share one bucket
	by    *expirable.LRU[string, *rate.Limiter]
}

// NewLimiter returns a Limiter: nil for the zero Limit.
func NewLimiter(l Limit) *Limiter {
	if l.PerSecond == 0 {
		return nil
	}
	return &Limiter{limit: l, by: expirable.NewLRU[string, *rate.Limiter](maxLimited, nil, forgetAfter)}
}

// Admit counts the request if the subject may ask now. If not, it returns the
// refusal, which says when it may.
func (l *Limiter) Admit(subject string) error {
	if l == nil {
		return nil
	}
	wait := l.wait(subject)
	if wait == 0 {
		return nil
	}

	p := problem.New(problem.TooMany, "Too many requests. At most %g a second; try again in %d s.", float64(l.limit.PerSecond), seconds(wait))
	p.RetryAfter = wait
	return p
}

func (l *Limiter) wait(subject string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()

	bucket, ok := l.by.Get(subject)
	if !ok {
		bucket = rate.NewLimiter(l.limit.PerSecond, l.limit.Burst)
	}
	l.by.Add(subject, bucket) // again, so that it does not expire while it is used

	reserved := bucket.Reserve()
	wait := reserved.Delay()
	if wait > 0 {
		reserved.Cancel() // a refusal uses nothing up: who asks too often waits no longer for it
	}
	return wait
}
