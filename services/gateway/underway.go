package gateway

import (
	"context"
	"net/http"
	"sync"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// maxUnderWay is how many requests, streams and sockets of one person may be under
// way. A browser has six connections, and a socket for each tab.
const maxUnderWay = 100

// underWay knows what is under way for whom: so many and no more, and signing out
// ends it. It is this gateway's alone: what is under way through another one ends
// when its client asks for something again.
type underWay struct {
	mu sync.Mutex
	by map[string]map[*context.CancelFunc]bool
}

// person returns what tells a browser from others. Nobody has signed in as a
// viewer, so viewers are told apart by their address.
func person(r *http.Request, id auth.Identity) string {
	key := string(id.Role) + ":" + id.Subject
	if id.Role == auth.Viewer {
		key += "@" + httpserver.RemoteIP(r)
	}
	return key
}

// begin returns a context that ends with ctx or by end, and what the caller calls
// when it is done.
func (u *underWay) begin(ctx context.Context, key string) (context.Context, func(), error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.by[key]) >= maxUnderWay {
		return nil, nil, problem.New(problem.TooMany, "At most %d requests of one person may be under way. Close some tabs, and try again.", maxUnderWay)
	}

	ctx, cancel := context.WithCancel(ctx)
	if u.by[key] == nil {
		u.by[key] = map[*context.CancelFunc]bool{}
	}
	u.by[key][&cancel] = true

	return ctx, func() {
		cancel()
		u.mu.Lock()
		defer u.mu.Unlock()
		if delete(u.by[key], &cancel); len(u.by[key]) == 0 {
			delete(u.by, key) // else every guest that ever was would be kept
		}
	}, nil
}

// end ends what is under way for key.
func (u *underWay) end(key string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for cancel := range u.by[key] {
		(*cancel)()
	}
}
