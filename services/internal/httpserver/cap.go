package httpserver

import (
	"context"
	"sync"
	"time"

	"tandem/services/internal/problem"
)

// longestWait is the longest Retry-After of a Cap: nobody knows when a socket ends.
const longestWait = time.Minute

// Cap bounds how many requests, streams and sockets of one client are under way, and
// can end them. It is safe for concurrent use.
type Cap struct {
	most int
	whom string // the word for a client in the refusal: person, address

	mu sync.Mutex
	by map[string]*underWay
}

// underWay is what is under way for one client.
type underWay struct {
	ends  map[*context.CancelFunc]bool
	freed time.Time // when one ended last, or else when the first began
}

// NewCap returns a Cap.
func NewCap(most int, whom string) *Cap {
	return &Cap{most: most, whom: whom, by: map[string]*underWay{}}
}

// Begin returns a context that ends with ctx or by End, and what the caller calls
// when it is done; or the refusal, if the client has as many under way as it may.
func (c *Cap) Begin(ctx context.Context, client string) (context.Context, func(), error) {
	c.mu.Lock()
	defer c.mu.Unlock()

	u := c.by[client]
	if u == nil {
		u = &underWay{ends: map[*context.CancelFunc]bool{}, freed: time.Now()}
		c.by[client] = u
	}
	if len(u.ends) >= c.most {
		return nil, nil, c.refusal(time.Since(u.freed))
	}

	ctx, cancel := context.WithCancel(ctx)
	u.ends[&cancel] = true

	return ctx, func() {
		cancel()
		c.mu.Lock()
		defer c.mu.Unlock()
		u.freed = time.Now()
		if delete(u.ends, &cancel); len(u.ends) == 0 {
			delete(c.by, client) // else every client that ever was would be kept
		}
	}, nil
}

// refusal says when to try again. When the next one ends is unknown; if none has
// for a while, none may for as long again.
func (c *Cap) refusal(since time.Duration) error {
	wait := min(max(since, time.Second), longestWait)
	p := problem.New(problem.TooMany, "At most %d requests, streams and sockets of one %s may be under way. Close some, and try again in %d s.", c.most, c.whom, seconds(wait))
	p.RetryAfter = wait
	return p
}

// End ends what is under way for a client.
func (c *Cap) End(client string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if u := c.by[client]; u != nil {
		for cancel := range u.ends {
			(*cancel)()
		}
	}
}
