package gateway

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
)

// Config is what the gateway needs.
type Config struct {
	DatabaseURL string
	Auth        *auth.Signer
	// OperatorKey lets its holder have tokens of any role; empty: nobody may.
	OperatorKey string
	// DemoLogin makes anybody who reaches the gateway an admin by one click.
	// Only for a gateway on loopback.
	DemoLogin bool

	BookingURL, LocationURL, MapfeedURL, HistoryURL, HeatmapURL, NotificationURL, ConsoleURL string

	App  fs.FS // the built web app, index.html at its root
	City fs.FS // the base map's files
}

// Run serves until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	if err := postgres.CheckVersion(ctx, cfg.DatabaseURL, Schema()); err != nil {
		return err
	}
	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.PoolOptions{App: "gateway", MaxConns: 6})
	if err != nil {
		return err
	}
	defer pool.Close()
	g := &gateway{cfg: cfg, env: env, store: store{pool}, sessions: newSessionCache()}
	if err := g.routeTable(); err != nil {
		return err
	}
	return lifecycle.Group(ctx,
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{
				Name: "gateway", Env: env, Auth: cfg.Auth, Routes: g.routes(), NoRoute: g.front(ctx),
				Ready: []httpserver.Check{{Name: "database", Run: pool.Ping}},
			})
		}},
		lifecycle.Task{Name: "prune sessions", Run: g.pruneLoop},
	)
}

type gateway struct {
	cfg      Config
	env      lifecycle.Env
	store    store
	sessions *sessionCache
	proxies  []proxyRoute
}

func (g *gateway) pruneLoop(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := g.store.prune(ctx); err != nil {
				g.env.Log.Warn("expired sessions were not deleted; it is tried again in 10 minutes", "err", err)
			}
		}
	}
}

// front answers everything that is not in the table of routes: the base map,
// a role's own paths, /v1 for programs, and the app.
func (g *gateway) front(ctx context.Context) http.Handler {
	app := newStatic(g.cfg.App, true)
	mux := http.NewServeMux()
	mux.Handle("/city/", http.StripPrefix("/city", newStatic(g.cfg.City, false)))
	mux.HandleFunc("/v1/", g.forward) // a bearer token, which the service itself checks
	for _, role := range []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Admin} {
		prefix := "/" + string(role)
		mux.HandleFunc(prefix+"/v1/", func(w http.ResponseWriter, r *http.Request) { g.serveBrowser(w, r, role) })
		mux.HandleFunc("GET "+prefix+"/socket", func(w http.ResponseWriter, r *http.Request) { g.serveSocket(w, r, role) })
	}
	mux.Handle("/", app)
	return endWith(ctx, securityHeaders(mux))
}

// endWith ends what is still under way when ctx ends: proxied streams and
// sockets have no end of their own.
func endWith(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		next.ServeHTTP(w, r.WithContext(rctx))
	})
}

func (g *gateway) routeTable() error {
	for _, r := range []struct{ pattern, url string }{
		{"rides/*/stream", g.cfg.ConsoleURL},
		{"rides", g.cfg.BookingURL},
		{"quote", g.cfg.BookingURL},
		{"route", g.cfg.BookingURL},
		{"places", g.cfg.BookingURL},
		{"offers", g.cfg.BookingURL},
		{"drivers/me", g.cfg.BookingURL},
		{"drivers/events", g.cfg.BookingURL},
		{"drivers", g.cfg.HistoryURL},
		{"points", g.cfg.LocationURL},
		{"map", g.cfg.MapfeedURL},
		{"heatmap", g.cfg.HeatmapURL},
		{"contact", g.cfg.NotificationURL},
		{"inbox", g.cfg.NotificationURL},
		{"deliveries", g.cfg.NotificationURL},
		{"overview", g.cfg.ConsoleURL},
		{"ops", g.cfg.ConsoleURL},
	} {
		p, err := g.newProxy(r.url)
		if err != nil {
			return fmt.Errorf("gateway: the address behind /v1/%s: %w", r.pattern, err)
		}
		g.proxies = append(g.proxies, proxyRoute{pattern: r.pattern, proxy: p})
	}
	return nil
}
