// Package lifecycle is the contract between a service and whoever starts it:
// a process of its own (cmd/tandem), the demo's supervisor, or a test.
//
// A service is a function
//
//	func Run(ctx context.Context, env lifecycle.Env, cfg Config) error
//
// that blocks until ctx ends, then drains and returns nil. A non-nil error
// means that the service could not start or could not go on; it says what a
// person should do about it.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"
)

// Env is what a service receives from whoever starts it.
type Env struct {
	// Listener is open already: an address flag, or a test's port 0. The
	// service owns it from here on and closes it.
	Listener net.Listener
	// Hosts are the names under which it may be asked, besides loopback's and the
	// listener's own address. internal/httpserver refuses any other.
	Hosts []string
	// MaxConnections is how many connections it may have open; 0 is
	// internal/httpserver's default.
	MaxConnections int
	Log            *slog.Logger
	// Metrics is served at /metrics by internal/httpserver.
	Metrics *prometheus.Registry
	// Traces is where spans go; nil: nowhere.
	Traces trace.TracerProvider
}

// DrainTimeout is how long a service may take to finish what it began after
// its context ended. The demo's supervisor kills what is left after it.
const DrainTimeout = 8 * time.Second

// Task is one long-running part of a service. It returns nil when ctx ends.
type Task struct {
	Name string
	Run  func(ctx context.Context) error
}

// Group runs tasks until ctx ends or one fails; the first failure ends the
// others and is returned, wrapped with the task's name. A task that returns
// nil while ctx still lives is a failure too: long-running parts do not end by
// themselves.
func Group(ctx context.Context, tasks ...Task) error {
	g, gctx := errgroup.WithContext(ctx)

	for _, t := range tasks {
		g.Go(func() error {
			err := t.Run(gctx)

			switch {
			case gctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)):
				return nil // it was told to end, and it did
			case err == nil:
				return fmt.Errorf("%s ended by itself", t.Name)
			default:
				return fmt.Errorf("%s: %w", t.Name, err)
			}
		})
	}

	return g.Wait()
}

// Drain returns a context that outlives ctx's cancellation by DrainTimeout,
// for work that must be finished during shutdown. Values of ctx are kept.
func Drain(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), DrainTimeout)
}
