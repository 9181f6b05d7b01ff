package heatmap

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/prometheus/client_golang/prometheus"

	"tandem/services/domain/points"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

// Name is the service's, and its consumer group's.
const Name = "heatmap"

const (
	name = Name
	// generation is what the live reader counts under and what is shown. A replay counts
	// under a higher one, and moves the rows here when it is whole.
	generation = 1
)

// Config is what the service needs.
type Config struct {
	DatabaseURL string
	AWS         awsclient.Config
	Auth        *auth.Signer
	Profile     profile.Profile
	// CatchUpBytes bounds what is read of one shard in a second; 0: all that a shard
	// serves.
	CatchUpBytes int
}

// Run reads the stream and serves until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	pool, err := points.OpenPool(ctx, cfg.DatabaseURL, name, cfg.Profile.Lease, Schema())
	if err != nil {
		return err
	}
	defer pool.Close()

	awsCfg, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}

	late := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tandem_heatmap_points_late_total",
		Help: "Points that arrived after the minute of their fix could be shown; they are counted in it, and are not on its public map.",
	})
	env.Metrics.MustRegister(late)
	s := newStore(pool)
	s.late = func(n int) { late.Add(float64(n)) }
	group, err := points.NewGroup(points.GroupOptions{
		Name: name, Generation: generation, Store: s, Pool: pool, Client: kinesis.NewFromConfig(awsCfg),
		Lease: cfg.Profile.Lease, Backoff: cfg.Profile.Backoff, Log: env.Log, Metrics: env.Metrics, Traces: env.Traces,
		// Half as often as those whose answer a person waits for: all readers
		// share a shard's five calls a second.
		PollEvery: 2 * cfg.Profile.PollEvery, CatchUpBytes: cfg.CatchUpBytes,
	})
	if err != nil {
		return err
	}

	return group.Serve(ctx, httpserver.Options{Name: name, Env: env, Auth: cfg.Auth, Routes: newService(s).routes()},
		lifecycle.Task{Name: "upkeep", Run: func(ctx context.Context) error { return s.keepUp(ctx, env.Log) }})
}

// keepUp mends the hours, while the service serves already, and then drops presence that
// nobody asks for any more, once a minute.
func (s *store) keepUp(ctx context.Context, log *slog.Logger) error {
	mended, err := s.mendHours(ctx)
	if err != nil && ctx.Err() == nil {
		log.Warn("comparing hours with their minutes fails; the next start tries again", "err", err)
	}
	if mended {
		log.Warn("hours of the heatmap were not what their minutes add up to: they were added up again")
	}

	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-t.C:
			// Counting goes on without it, so a failure does not end the service.
			if err := s.forget(ctx, now); err != nil {
				log.Warn("dropping old presence fails; trying again in a minute", "err", err)
			}
		}
	}
}
