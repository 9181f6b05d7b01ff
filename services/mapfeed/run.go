package mapfeed

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/problem"
	"tandem/services/internal/stream/shardreader"
)

const (
	framesEvery = 250 * time.Millisecond
	maxClients  = 5_000
	bufferBytes = 4 << 10
)

// Config is what mapfeed needs.
type Config struct {
	DatabaseURL string // with it, and a Backend that has fan-out, the stream need not be polled
	AWS         awsclient.Config
	Auth        *auth.Signer
	Profile     profile.Profile
	Backend     profile.Backend
	BookingURL  string
}

// feed is the running service.
type feed struct {
	cfg      Config
	log      *slog.Logger
	world    *world
	follower *points.Live
	booking  *httpclient.Client // without a token: each socket adds its own

	mu      sync.Mutex
	clients map[*client]struct{}
}

// Run reads the stream and serves until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	awsCfg, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}
	f := newFeed(cfg, env.Log)
	client := kinesis.NewFromConfig(awsCfg)
	o := points.LiveOptions{
		Name: "mapfeed", Client: client, Stream: event.Stream,
		PollEvery: cfg.Profile.PollEvery, Log: env.Log, Apply: f.world.apply,
		DatabaseURL: cfg.DatabaseURL, Lease: cfg.Profile.Lease,
	}
	if cfg.Backend.FanOut {
		o.FanOut = shardreader.FanOutOf(client)
	}
	f.follower = points.NewLive(o)
	return lifecycle.Group(ctx,
		lifecycle.Task{Name: "reader", Run: f.follower.Run},
		lifecycle.Task{Name: "frames", Run: f.frames},
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{
				Name: "mapfeed", Env: env, Auth: cfg.Auth, Routes: f.routes(), Status: f.status,
				Ready: []httpserver.Check{{Name: "caught up", Run: f.follower.Ready}},
			})
		}},
	)
}

func newFeed(cfg Config, log *slog.Logger) *feed {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand.Read
	return &feed{
		cfg: cfg, log: log, world: newWorld(key), clients: map[*client]struct{}{},
		booking: httpclient.New(cfg.BookingURL, httpclient.Options{FirstByte: 10 * time.Second, Connections: 16}),
	}
}

func (f *feed) routes() []httpserver.Route {
	anybody := []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Importer, auth.Service, auth.Admin}
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/map", Roles: anybody, Stream: true, Handle: f.socket},
		{Method: http.MethodGet, Path: "/v1/seen", Roles: []auth.Role{auth.Service, auth.Admin}, Handle: func(c *gin.Context) error {
			c.JSON(http.StatusOK, gin.H{"seen": f.follower.Seen(c.Query("driver"))})
			return nil
		}},
	}
}

// socket is GET /v1/map. The gateway has checked the origin; here a token in a
// header is asked for, which no page can send across origins.
func (f *feed) socket(c *gin.Context) error {
	if f.count() >= maxClients {
		return problem.New(problem.Unavailable, "The map has %d viewers, which is all it takes. Try again in a minute.", maxClients)
	}
	up := websocket.Upgrader{
		ReadBufferSize: bufferBytes, WriteBufferSize: bufferBytes, HandshakeTimeout: 5 * time.Second,
		CheckOrigin: func(*http.Request) bool { return true },
	}
	conn, err := up.Upgrade(c.Writer, c.Request, nil)
	if err != nil {
		return nil //nolint:nilerr // the upgrader has answered
	}
	cl := &client{
		id: httpserver.Identity(c), conn: conn, feed: f, wake: make(chan struct{}, 1), texts: make(chan []byte, TextQueue),
		knows: map[string]bool{}, watches: map[string]bool{},
	}
	f.add(cl)
	defer f.drop(cl)
	cl.serve(c.Request.Context())
	return nil
}

func (f *feed) add(c *client) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clients[c] = struct{}{}
}

func (f *feed) drop(c *client) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.clients, c)
}

func (f *feed) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.clients)
}

// frames hands out what moved, four times a second.
func (f *feed) frames(ctx context.Context) error {
	tick := time.NewTicker(framesEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			f.handOut(now)
		}
	}
}

func (f *feed) handOut(now time.Time) {
	moved, all, newNumbers := f.world.look()
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.clients {
		c.offer(moved, all, newNumbers, now)
	}
}

type detail struct {
	points.Detail
	Clients int `json:"clients"`
}

func (f *feed) status() any { return detail{f.follower.Detail(), f.count()} }
