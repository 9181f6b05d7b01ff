package gateway

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"

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
	// DemoLogin makes anybody who reaches the gateway an admin by one click. Run
	// refuses it off loopback, unless DemoLoginOffLoopback agrees to that.
	DemoLogin, DemoLoginOffLoopback bool

	BookingURL, LocationURL, MapfeedURL, HistoryURL, HeatmapURL, NotificationURL, ConsoleURL string

	App  fs.FS // the built web app, index.html at its root
	City fs.FS // the base map's files
}

type gateway struct {
	cfg      Config
	env      lifecycle.Env
	store    store
	sessions *expirable.LRU[string, auth.Identity] // by secret
	underWay underWay

	transport http.RoundTripper // to the services
	buffers   *bufferPool

	guests  *httpserver.Limiter // those of programs; for each address, since none has a name yet
	guesses *httpserver.Limiter // at the operator's key
}

// Sessions are cached, so that not every request of a page costs a query. One that
// was ended at another gateway is still accepted here for at most cacheLife.
const (
	cacheLife  = time.Minute
	cacheLimit = 10_000

	pruneEvery = 10 * time.Minute
)

// Run serves until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	if cfg.DemoLogin && !cfg.DemoLoginOffLoopback && !onLoopback(env.Listener) {
		return fmt.Errorf("gateway: on %s, --demo-login would make an operator of anybody on the network: listen on 127.0.0.1, or agree by --demo-login-off-loopback", env.Listener.Addr())
	}
	if err := postgres.CheckVersion(ctx, cfg.DatabaseURL, Schema()); err != nil {
		return err
	}
	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.PoolOptions{App: "gateway", MaxConns: 6})
	if err != nil {
		return err
	}
	defer pool.Close()

	g := &gateway{cfg: cfg, env: env, store: store{pool}, sessions: expirable.NewLRU[string, auth.Identity](cacheLimit, nil, cacheLife),
		guests: httpserver.NewLimiter(httpserver.Limit{PerSecond: 2, Burst: 20}), guesses: httpserver.NewLimiter(httpserver.Limit{PerSecond: 0.2, Burst: 10}),
		underWay:  underWay{by: map[string]map[*context.CancelFunc]bool{}},
		transport: newTransport(answerWithin), buffers: &bufferPool{}}
	front, err := g.front(ctx)
	if err != nil {
		return err
	}

	return lifecycle.Group(ctx,
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{
				Name: "gateway", Env: env, Auth: cfg.Auth, Routes: g.routes(), NoRoute: front, PrivateMetrics: true,
				Ready: []httpserver.Check{{Name: "database", Run: pool.Ping}},
			})
		}},
		lifecycle.Task{Name: "prune sessions", Run: g.pruneLoop},
	)
}

// onLoopback reports whether only this machine can reach l.
func onLoopback(l net.Listener) bool {
	addr, ok := l.Addr().(*net.TCPAddr)
	return ok && addr.IP.IsLoopback()
}

func (g *gateway) pruneLoop(ctx context.Context) error {
	tick := time.NewTicker(pruneEvery)
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
func (g *gateway) front(ctx context.Context) (http.Handler, error) {
	api, err := g.api()
	if err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	mux.Handle("/city/", http.StripPrefix("/city", files(g.cfg.City)))
	mux.Handle("/v1/", api) // with a bearer token, which the service itself checks
	for _, role := range []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Admin} {
		b := browser{gateway: g, role: role, api: api}
		mux.HandleFunc("POST "+b.prefix()+"/v1/socket-ticket", b.ticket)
		mux.HandleFunc(b.prefix()+"/v1/", b.request)
		mux.HandleFunc("GET "+b.prefix()+"/socket", b.socket)
	}
	mux.Handle("/", app(g.cfg.App))
	return endWith(ctx, securityHeaders(mux)), nil
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

func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "geolocation=(), camera=(), microphone=()")

		next.ServeHTTP(w, r)
	})
}
