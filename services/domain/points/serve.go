package points

import (
	"context"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
	"tandem/services/internal/problem"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/streamcheck"
)

// OpenPool opens the database of a durable reader. The reader's schema and
// shardgroup's must have been migrated to the versions that this build knows.
func OpenPool(ctx context.Context, dbURL, name string, lease time.Duration, schema postgres.Schema) (*pgxpool.Pool, error) {
	for _, s := range []postgres.Schema{schema, {Name: shardgroup.SchemaName, FS: shardgroup.Migrations()}} {
		if err := postgres.CheckVersion(ctx, dbURL, s); err != nil {
			return nil, err
		}
	}
	return postgres.Open(ctx, dbURL, postgres.PoolOptions{App: name, LeaseTime: lease})
}

// Serve reads, serves o with the reader's checks and routes, and runs tasks,
// until ctx ends.
func (g *Group) Serve(ctx context.Context, o httpserver.Options, tasks ...lifecycle.Task) error {
	check, err := streamcheck.New(streamcheck.Options{Client: g.o.Client, Stream: event.Stream, Log: g.o.Log})
	if err != nil {
		return err
	}
	o.Ready = append(o.Ready,
		httpserver.Check{Name: "postgres", Run: g.o.Pool.Ping},
		httpserver.Check{Name: "stream", Run: check.Ready},
		httpserver.Check{Name: "leases", Run: g.group.Ready},
	)
	o.Status = func() any { return g.Detail() }
	tasks = append(tasks,
		lifecycle.Task{Name: "stream check", Run: check.Run},
		lifecycle.Task{Name: "group", Run: g.Run},
	)
	return serve(ctx, o, g.Seen, tasks)
}

// Serve reads, serves o with the reader's check and routes, and runs tasks,
// until ctx ends. o.Status is the service's: Detail and what it adds.
func (l *Live) Serve(ctx context.Context, o httpserver.Options, tasks ...lifecycle.Task) error {
	o.Ready = append(o.Ready, httpserver.Check{Name: "caught up", Run: l.Ready})
	o.Routes = append(o.Routes, arrivalsRoute(l.Arrivals))
	tasks = append(tasks, lifecycle.Task{Name: "reader", Run: l.Run})
	return serve(ctx, o, l.Seen, tasks)
}

func serve(ctx context.Context, o httpserver.Options, seen func(driver string) []Seen, tasks []lifecycle.Task) error {
	o.Routes = append(o.Routes, seenRoute(seen))
	tasks = append(tasks, lifecycle.Task{Name: "http", Run: func(ctx context.Context) error { return httpserver.Serve(ctx, o) }})
	return lifecycle.Group(ctx, tasks...)
}

// SeenAnswer is the answer of GET /v1/seen?driver=.
type SeenAnswer struct {
	Seen []Seen `json:"seen"` // newest first
}

// Routes is what a reader answers beside its service's own routes.
func Routes() []httpserver.Route { return []httpserver.Route{seenRoute(nil)} }

// LiveRoutes is what a live reader answers beside its service's own routes.
func LiveRoutes() []httpserver.Route { return append(Routes(), arrivalsRoute(nil)) }

func seenRoute(seen func(driver string) []Seen) httpserver.Route {
	answer := func(r *http.Request) (any, error) {
		driver := r.URL.Query().Get("driver")
		if driver == "" {
			return nil, problem.Field("driver", "Name a driver.")
		}
		return SeenAnswer{Seen: seen(driver)}, nil
	}

	return httpserver.Route{
		Method: http.MethodGet, Path: "/v1/seen", Roles: []auth.Role{auth.Admin, auth.Service}, Handle: httpserver.Answer(answer),
	}
}
