// Package httpserver is the one way that Tandem's services speak HTTP: a gin
// engine with health, readiness, metrics and status, roles on every route,
// body and rate limits, and the one place where errors become problem+json.
//
// A service lists its routes as a table of Route. A route cannot be open by
// accident: it names its Roles, or it says Public. A request under a name that is
// not the server's, or from a page of another site, is refused (Hosts). The server
// drains when its context ends: /readyz turns 503, open streams are told to end,
// requests under way are finished.
package httpserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/time/rate"

	"tandem/services/internal/auth"
	"tandem/services/internal/lifecycle"
)

const defaultTimeout = 30 * time.Second

// MaxStreams is how many streams and sockets of one person a server has open.
const MaxStreams = 100

// DefaultMaxBody is the largest request body of a route that names no limit.
const DefaultMaxBody = 64 << 10

// Handler answers a request. An error that it returns is mapped to a problem
// document; it must not have written a body by then.
type Handler func(c *gin.Context) error

// Route is one row of a service's table.
type Route struct {
	Method string
	Path   string // gin's pattern: /v1/rides/:id
	Roles  []auth.Role
	Public bool // no token needed; one that is given is still checked
	// Whose says of whom, where a role may not do it for all. The handler sees to it;
	// docs/authz.md shows it.
	Whose  string
	Handle Handler
	// MaxBody bounds the request's body in bytes; 0 is DefaultMaxBody.
	MaxBody int64
	// Limit bounds requests for each person, and PerAddress those from each client
	// address; zero is no limit. Importers and services act for many people: they
	// are not limited.
	Limit, PerAddress Limit
	// Stream marks a route whose answer has no end of its own (SSE,
	// WebSocket): no write deadline, and its context ends when draining begins. One
	// person may have MaxStreams of them.
	Stream bool
	// TraceOneIn says that one request in so many begins a trace; 0: each, but of reads
	// one in 100. A request whose caller has begun one is part of it.
	TraceOneIn int
}

// Limit is a token bucket.
type Limit struct {
	PerSecond rate.Limit
	Burst     int
}

// Check is one dependency that /readyz looks at.
type Check struct {
	Name string
	Run  func(ctx context.Context) error
}

// Options says what to serve.
type Options struct {
	Name   string // the service's name
	Env    lifecycle.Env
	Auth   *auth.Signer
	Routes []Route
	// Ready are the dependencies. They are asked side by side, and each has 2 s.
	Ready []Check
	// Status returns the detail of GET /v1/status (roles service and admin).
	Status func() any
	// PrivateMetrics keeps /metrics from whom has no token of a service or an admin:
	// for the server that everybody reaches.
	PrivateMetrics bool
	// Outside says that strangers call: whether a request is traced is not for them to
	// say.
	Outside bool
	// Untraced, when set, reports whether a request begins no trace here.
	Untraced func(*http.Request) bool
	// NoRoute, when set, answers what no route matches (the gateway's app).
	NoRoute http.Handler
	// TrustedProxies are the networks whose X-Forwarded-For is believed, as in
	// 10.0.0.0/8.
	TrustedProxies []string
	// MaxPerAddress bounds what one client address has under way: requests, streams
	// and sockets. 0 is no bound, as for a server whose clients are all servers.
	MaxPerAddress int
	// Timeout bounds a request that is not a stream, and the sending of any
	// request's body; 0 is 30 s.
	Timeout time.Duration
}

// Serve listens on o.Env.Listener until ctx ends, then drains for at most
// lifecycle.DrainTimeout. It returns nil after a clean drain.
func Serve(ctx context.Context, o Options) error {
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	hosts, err := NewHosts(o.Env.Hosts)
	if err != nil {
		return err
	}
	proxies, err := newProxies(o.TrustedProxies)
	if err != nil {
		return err
	}
	handler, err := NewHandler(ctx, o)
	if err != nil {
		return err
	}
	handler = hosts.guard(proxies.addressed(perAddress(handler, o), o.Auth))

	// A request's read and write deadlines are set by its route: a stream has none.
	srv := &http.Server{
		Handler:           tell(bounded(handler, o.Timeout)),
		ConnContext:       remember,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          serverLog(o.Env.Log),
	}

	failed := make(chan error, 1)
	most := cmp.Or(o.Env.MaxConnections, DefaultMaxConnections)
	go func() { failed <- srv.Serve(newGate(o.Env.Listener, most, proxies)) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve http: %w", err)
	case <-ctx.Done():
	}

	// The handler has seen the end of ctx, too: it is not ready any more, and its
	// streams, which would not end by themselves, are ending.
	drain, cancel := lifecycle.Drain(ctx)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(fmt.Errorf("drain http: %w", err), srv.Close())
	}
	return nil
}

// NewHandler returns the handler of o, without what Serve asks of a connection
// (Hosts, addresses). When ctx ends, draining begins: /readyz turns 503, so that no
// new work is sent here, and the contexts of streams end.
func NewHandler(ctx context.Context, o Options) (http.Handler, error) {
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	s := &server{Options: o, started: time.Now(), failing: map[string]bool{}, life: ctx, metrics: newMetrics(o.Env.Metrics), streams: NewCap(MaxStreams, "person")}
	return s.engine()
}
