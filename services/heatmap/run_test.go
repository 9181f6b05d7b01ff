package heatmap_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/heatmap"
	"tandem/services/internal/lifecycle"
	"tandem/services/test/pointstest"
)

func TestServiceCountsAcrossRestarts(t *testing.T) {
	t.Parallel()
	pool := pointstest.Service{
		Name: "heatmap", Schema: heatmap.Schema(), Total: `SELECT coalesce(sum(n), 0)::int FROM heatmap.cells`,
		Run: func(ctx context.Context, env lifecycle.Env, cfg pointstest.Config) error {
			return heatmap.Run(ctx, env, heatmap.Config(cfg))
		},
	}.AcrossRestarts(t)

	require.Equal(t, 100, pointstest.Count(t, pool, `SELECT sum(skipped) FROM heatmap.marks`))
}
