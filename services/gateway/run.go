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
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []string
	// MaxPerAddress bounds what one client address has under way; 0: nothing does.
	MaxPerAddress int

	BookingURL, LocationURL, MapfeedURL, HistoryURL, HeatmapURL, NotificationURL, ConsoleURL, CompareURL string

	App  fs.FS // the built web app, index.html at its root
	City fs.FS // the base map's files
}

type gateway struct {
	cfg      Config
	env      lifecycle.Env
	store    store
	sessions *expirable.LRU[string, auth.Identity] // by secret
	underWay *httpserver.Cap                       // for each person
	guests   *httpserver.Limiter                   // those of programs; for each address, since none has a name yet
	guesses  *httpserver.Limiter                   // at the operator's key, for each address
	secrets  *httpserver.Limiter                   // that nobody has, for each address
	tickets  *httpserver.Limiter                   // for each person

	transport http.RoundTripper // to the services
	buffers   *bufferPool
}

// maxUnderWay is how many requests, streams and sockets of one person may be under
// way. A browser has six connections, and a socket for each tab.
const maxUnderWay = 100

// Sessions are cached, so that not every request of a page costs a query.
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
		underWay: httpserver.NewCap(maxUnderWay, "person"),
		guests:   httpserver.NewLimiter(httpserver.Limit{PerSecond: 2, Burst: 20}), guesses: httpserver.NewLimiter(httpserver.Limit{PerSecond: 0.2, Burst: 10}),
		secrets: httpserver.NewLimiter(httpserver.Limit{PerSecond: 5, Burst: 50}), tickets: httpserver.NewLimiter(httpserver.Limit{PerSecond: 2, Burst: 20}),
		transport: newTransport(answerWithin), buffers: &bufferPool{},
	}
	front, err := g.front(ctx)
	if err != nil {
		return err
	}

	return lifecycle.Group(ctx,
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{
				Name: "gateway", Env: env, Auth: cfg.Auth, Routes: g.routes(), NoRoute: front, PrivateMetrics: true,
				Outside: true, Untraced: sendsPoints, // location traces a few of them
				TrustedProxies: cfg.TrustedProxies, MaxPerAddress: cfg.MaxPerAddress,
				Ready: []httpserver.Check{{Name: "database", Run: pool.Ping}},
			})
		}},
		lifecycle.Task{Name: "prune sessions", Run: g.pruneLoop},
		lifecycle.Task{Name: "sign-outs", Run: g.followSignOuts},
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
				g.env.Log.Warn("expired sessions and accounts were not deleted; it is tried again in 10 minutes", "err", err)
			}
		}
	}
}

// front answers everything that is not in the table of routes: the doors.
func (g *gateway) front(ctx context.Context) (http.Handler, error) {
	api, err := g.api()
	if err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	for _, d := range g.doors(api) {
		mux.Handle(d.Pattern, d.handle)
	}
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
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "geolocation=(), camera=(), microphone=()")

		next.ServeHTTP(w, r)
	})
}
