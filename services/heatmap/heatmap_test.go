package heatmap

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/stream/shardreader/fakestream"
	"tandem/services/test/pointstest"
)

const total = `SELECT coalesce(sum(n), 0)::int FROM heatmap.cells`

func TestRowsAndCheckpointAreOneTransaction(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	pointstest.RowsAndCheckpointTogether(t, pool, &store{pool: pool, generation: generation}, total)
}

func TestCountsOnceThroughFailuresAndTakeOvers(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	pointstest.OnceThroughFailures(t, pool, func() points.Store { return &store{pool: pool, generation: generation} }, total)
	require.Equal(t, 20, pointstest.Count(t, pool, `SELECT sum(skipped)::int FROM heatmap.marks`))
	require.Zero(t, pointstest.Count(t, pool, `SELECT count(*) FROM heatmap.presence`), "nobody asks who was there in 2013")
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := fakestream.New("0")
	now := time.Now()
	fix := now.Add(-3 * time.Minute).UnixMilli()
	for i := range 6 {
		d := fmt.Sprint("d", i)
		s.Put("0", d, pointstest.Encode(t, d, fix))
	}
	api := newService(&store{pool: pool, generation: generation})
	pointstest.Read(t, s, pool, "a", api.store)
	pointstest.Eventually(t, pool, 6, total)
	get := pointstest.Routes(t, api.routes())
	as := func(role auth.Role) auth.Identity { return auth.Identity{Subject: "x", Role: role} }

	code, public := get(as(auth.Viewer), "/v1/heatmap?minutes=15")
	require.Equal(t, http.StatusOK, code, public)
	cells := public["cells"].([]any)
	require.Len(t, cells, 1)
	require.Equal(t, "5-9", cells[0].(map[string]any)["class"])
	require.NotContains(t, cells[0], "n")
	code, raw := get(as(auth.Admin), "/v1/heatmap?raw=1")
	require.Equal(t, http.StatusOK, code, raw)
	require.EqualValues(t, 6, raw["cells"].([]any)[0].(map[string]any)["n"])
	code, _ = get(as(auth.Rider), "/v1/heatmap?raw=1")
	require.Equal(t, http.StatusForbidden, code)
	code, _ = get(as(auth.Viewer), "/v1/heatmap?minutes=16")
	require.Equal(t, http.StatusBadRequest, code, "a free choice of minutes would let answers be subtracted")

	require.NoError(t, api.store.forget(context.Background(), now))
	again, err := api.publicMap(context.Background(), now.Truncate(time.Minute).Add(2*time.Minute), 15)
	require.NoError(t, err)
	require.Empty(t, again.Cells)
}
