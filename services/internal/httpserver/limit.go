package httpserver

import (
	"sync"
	"time"

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

// limiter keeps a token bucket for each subject. A nil limiter allows all.
type limiter struct {
	limit Limit
	mu    sync.Mutex // so that two first requests of a subject share one bucket
	by    *expirable.LRU[string, *rate.Limiter]
}

func newLimiter(l Limit) *limiter {
	if l.PerSecond == 0 {
		return nil
	}
	return &limiter{limit: l, by: expirable.NewLRU[string, *rate.Limiter](maxLimited, nil, forgetAfter)}
}

// allow reports whether the subject may ask now, and counts the request.
func (l *limiter) allow(subject string) bool {
	if l == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()

	bucket, ok := l.by.Get(subject)
	if !ok {
		bucket = rate.NewLimiter(l.limit.PerSecond, l.limit.Burst)
	}
	l.by.Add(subject, bucket) // again, so that it does not expire while it is used
	return bucket.Allow()
}
