// Package history keeps every point of the past, exactly once: a consumer group
// of the stream whose rows and checkpoint are one transaction. It answers where
// a driver was last (a driver's app asks at login, to go on counting) and
// where it has been.
//
// The key of history.points is the last word on "once": a repeat that a
// producer's retry put on the stream is met there and left out.
package history

import (
	"context"
	"fmt"

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
	name = "history" // of the service and of its consumer group
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
	r := &reader{store: newStore(pool), stats: points.NewStats(), seen: points.NewRecent()}
	client := kinesis.NewFromConfig(aws)
	check := streamcheck.New(streamcheck.Options{Client: client, Stream: event.Stream, Log: env.Log})
	r.group, err = shardgroup.New(shardgroup.Options{
		Client: client, Stream: event.Stream, Pool: pool, Name: name, Generation: 1, Worker: shardgroup.WorkerID(),
		Processor: r.processor, Lease: cfg.Profile.Lease, Log: env.Log,
		// Half as often as those whose answer a person waits for: all readers
		// share a shard's five calls a second.
		PollEvery: 2 * cfg.Profile.PollEvery,
	})
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return lifecycle.Group(ctx,
		lifecycle.Task{Name: "stream check", Run: check.Run},
		lifecycle.Task{Name: "group", Run: r.group.Run},
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{
				Name: name, Env: env, Auth: cfg.Auth, Routes: r.routes(), Status: r.status,
				Ready: []httpserver.Check{{Name: "postgres", Run: pool.Ping}, {Name: "stream", Run: check.Ready}, {Name: "leases", Run: r.group.Ready}},
			})
		}})
}
