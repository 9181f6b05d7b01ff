package history_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/history"
	"tandem/services/internal/lifecycle"
	"tandem/services/test/pointstest"
)

func TestServiceStoresAcrossRestarts(t *testing.T) {
	t.Parallel()
	pool := pointstest.Service{
		Name: "history", Schema: history.Schema(), Total: `SELECT count(*) FROM history.points`,
		Run: func(ctx context.Context, env lifecycle.Env, cfg pointstest.Config) error {
			return history.Run(ctx, env, history.Config{DatabaseURL: cfg.DatabaseURL, AWS: cfg.AWS, Auth: cfg.Auth, Profile: cfg.Profile, CatchUpBytes: cfg.CatchUpBytes})
		},
	}.AcrossRestarts(t)

	require.Equal(t, 4, pointstest.Count(t, pool, `SELECT count(DISTINCT shard) FROM history.points`))
	require.Zero(t, pointstest.Count(t, pool, `SELECT count(*) FROM history.points WHERE not_rising`))
}
