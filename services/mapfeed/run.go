package mapfeed

import (
	"context"
	"crypto/rand"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"tandem/services/domain/points"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/stream/shardreader"
)

const (
	name        = "mapfeed" // of the service, its reader and its fan-out consumers
	framesEvery = 250 * time.Millisecond
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

// feed hands what moves in the world to the clients.
type feed struct {
	cfg     Config
	log     *slog.Logger
	world   *world
	booking *httpclient.Client // without a token: each socket adds its own
	behind  func() (d time.Duration, known bool)

	shown *shown // the ride that is shown to everybody

	mu      sync.Mutex
	clients map[*client]struct{}
}

// Run reads the stream and serves until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	awsCfg, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}
	client := kinesis.NewFromConfig(awsCfg)

	f := newFeed(cfg, env.Log)
	o := points.LiveOptions{
		Name: name, Client: client, PollEvery: cfg.Profile.PollEvery, Log: env.Log, Traces: env.Traces, Apply: f.world.apply,
		DatabaseURL: cfg.DatabaseURL, Lease: cfg.Profile.Lease,
	}
	if cfg.Backend.FanOut {
		o.FanOut = shardreader.FanOutOf(client)
	}

	live, err := points.NewLive(o)
	if err != nil {
		return err
	}
	f.behind = live.Behind
	return live.Serve(ctx, httpserver.Options{
		Name: name, Env: env, Auth: cfg.Auth, Routes: f.routes(),
		Status: func() any { return detail{live.Detail(), f.count()} },
	}, lifecycle.Task{Name: "frames", Run: f.frames})
}

type detail struct {
	points.Detail
	Clients int `json:"clients"`
}

func newFeed(cfg Config, log *slog.Logger) *feed {
	// A key of this process alone, never stored: nobody can compute which driver a
	// number stands for.
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand.Read

	f := &feed{
		cfg: cfg, log: log, world: newWorld(key), clients: map[*client]struct{}{},
		behind:  func() (time.Duration, bool) { return 0, false }, // until there is a reader
		booking: httpclient.New(cfg.BookingURL, httpclient.Options{FirstByte: 10 * time.Second, Connections: 16}),
	}
	f.shown = &shown{feed: f, clients: map[*client]struct{}{}}
	return f
}

func (f *feed) add(c *client) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clients[c] = struct{}{}
}

func (f *feed) drop(c *client) {
	f.shown.leave(c)

	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.clients, c)
}

func (f *feed) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.clients)
}

// frames hands out what moved, four times a second, until ctx ends.
func (f *feed) frames(ctx context.Context) error {
	tick := time.NewTicker(framesEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			f.handOut()
		}
	}
}

// handOut offers each client a frame. Offering never waits for a client's
// socket, so a slow one delays nobody.
func (f *feed) handOut() {
	f.mu.Lock()
	clients := slices.Collect(maps.Keys(f.clients))
	f.mu.Unlock()

	behind := time.Duration(-1)
	if d, known := f.behind(); known {
		behind = d
	}
	r := f.world.look(behind, slices.ContainsFunc(clients, (*client).wantsAll))
	if r.newNumbers {
		f.shown.renumber()
	}

	for _, c := range clients {
		c.offer(r)
	}
}
