package httpserver

import (
	"sync"

	"golang.org/x/time/rate"
)

// maxLimited bounds the subjects that a limiter remembers. When it is full it
// starts anew: a burst for everybody, never unbounded memory.
const maxLimited = 20_000

type limiter struct {
	limit Limit
	mu    sync.Mutex
	by    map[string]*rate.Limiter
}

func newLimiter(l Limit) *limiter { return &limiter{limit: l, by: map[string]*rate.Limiter{}} }

func (l *limiter) allow(key string) bool {
	if l.limit.PerSecond == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.by[key]
	if !ok {
		if len(l.by) >= maxLimited {
			clear(l.by)
		}
		b = rate.NewLimiter(l.limit.PerSecond, l.limit.Burst)
		l.by[key] = b
	}
	return b.Allow()
}
