package deadletter

import (
	"context"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"tandem/services/internal/awsclient"
	"tandem/services/internal/postgres"
)

// Config says where the dead letters are.
type Config struct {
	DatabaseURL string
	AWS         awsclient.Config
	Log         *slog.Logger // nil: none
}

// Open connects a Tool to its database and to SQS. The caller closes it.
func Open(ctx context.Context, cfg Config) (t *Tool, closeIt func(), err error) {
	if err := postgres.CheckVersion(ctx, cfg.DatabaseURL, Schema()); err != nil {
		return nil, nil, err
	}

	aws, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return nil, nil, err
	}

	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.PoolOptions{App: "deadletter", MaxConns: 4})
	if err != nil {
		return nil, nil, err
	}
	return New(Options{Client: sqs.NewFromConfig(aws), Pool: pool, Log: cfg.Log}), pool.Close, nil
}
