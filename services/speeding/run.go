// Package speeding is the reader that somebody adds: it keeps which drivers were
// faster than a limit, and how fast each was at most. It is a consumer group of its
// own, so no producer and no other reader changes for it. (The tutorial's program
// tools/lab/speeding asks once and keeps nothing; this one goes on after a restart.)
package speeding

import (
	"context"
	"embed"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"tandem/services/domain/points"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema returns the schema speeding with its migrations.
func Schema() postgres.Schema { return postgres.Embedded("speeding", migrations) }

// Config is what the service needs. Over is in km/h.
type Config struct {
	DatabaseURL string
	AWS         awsclient.Config
	Auth        *auth.Signer
	Profile     profile.Profile
	Over        float64
}

// Run reads the stream from its oldest record on, and serves, until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) error {
	pool, err := points.OpenPool(ctx, cfg.DatabaseURL, "speeding", cfg.Profile.Lease, Schema())
	if err != nil {
		return err
	}
	defer pool.Close()

	awsCfg, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return err
	}

	group, err := points.NewGroup(points.GroupOptions{
		Name: "speeding", Generation: 1, Store: &store{pool, cfg.Over}, Pool: pool, Client: kinesis.NewFromConfig(awsCfg),
		Lease: cfg.Profile.Lease, Backoff: cfg.Profile.Backoff, PollEvery: 2 * cfg.Profile.PollEvery, Log: env.Log, Metrics: env.Metrics, Traces: env.Traces,
	})
	if err != nil {
		return err
	}
	return group.Serve(ctx, httpserver.Options{Name: "speeding", Env: env, Auth: cfg.Auth})
}
