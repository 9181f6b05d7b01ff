// Package heatmap counts points: how many in each S2 cell, in each minute of
// their fix time. It is the reader whose state is a sum: it can't see whether
// it added a point before, so it keeps a mark for each driver, and rows, marks
// and checkpoint are one transaction under the shard's lease.
//
// Only the records' own fields decide what is counted where: a recorded trip
// of 2013 falls into windows of 2013, a late point into its own minute.
//
// Operators see counts. Everybody else sees areas that at least five distinct
// drivers were in, in classes, the same for all, made once a minute.
package heatmap

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/streamcheck"
)

const (
	name       = "heatmap" // of the service and of its consumer group
	generation = 1         // a rebuild counts everything again under the next one

	presenceKept = 2 * time.Hour
)

// Config is what the service needs.
type Config struct {
	DatabaseURL string
	AWS         awsclient.Config
	Auth        *auth.Signer
	Profile     profile.Profile
}

// Run reads the stream and serves until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	for _, s := range []postgres.Schema{Schema(), {Name: shardgroup.SchemaName, FS: shardgroup.Migrations()}} {
		if err := postgres.CheckVersion(ctx, cfg.DatabaseURL, s); err != nil {
			return err
		}
	}
	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.PoolOptions{App: name, LeaseTime: cfg.Profile.Lease})
	if err != nil {
		return err
	}
	defer pool.Close()
	aws, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}
	r := &reader{store: &store{pool: pool, generation: generation}, stats: points.NewStats(), seen: points.NewRecent(), public: map[int]publicMap{}}
	client := kinesis.NewFromConfig(aws)
	check := streamcheck.New(streamcheck.Options{Client: client, Stream: event.Stream, Log: env.Log})
	r.group, err = shardgroup.New(shardgroup.Options{
		Client: client, Stream: event.Stream, Pool: pool, Name: name, Generation: generation, Worker: shardgroup.WorkerID(),
		Processor: r.processor, Lease: cfg.Profile.Lease, Log: env.Log,
		// Half as often as those whose answer a person waits for: all readers
		// share a shard's five calls a second.
		PollEvery: 2 * cfg.Profile.PollEvery,
	})
	if err != nil {
		return fmt.Errorf("heatmap: %w", err)
	}
	return lifecycle.Group(ctx,
		lifecycle.Task{Name: "stream check", Run: check.Run},
		lifecycle.Task{Name: "group", Run: r.group.Run},
		lifecycle.Task{Name: "presence", Run: func(ctx context.Context) error { return r.store.keepForgetting(ctx, env.Log) }},
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{
				Name: name, Env: env, Auth: cfg.Auth, Routes: r.routes(), Status: r.status,
				Ready: []httpserver.Check{{Name: "postgres", Run: pool.Ping}, {Name: "stream", Run: check.Ready}, {Name: "leases", Run: r.group.Ready}},
			})
		}})
}

// keepForgetting drops presence that nobody asks for any more, once a minute.
func (s *store) keepForgetting(ctx context.Context, log *slog.Logger) error {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-t.C:
			if err := s.forget(ctx, now.Add(-presenceKept)); err != nil {
				log.Warn("dropping old presence fails; trying again in a minute", "err", err)
			}
		}
	}
}
