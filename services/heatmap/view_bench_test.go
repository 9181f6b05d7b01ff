package heatmap

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/golang/geo/s2"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/geo"
	"tandem/services/test/testenv"
)

// BenchmarkViews asks for raw counts of a day of 700 cells, a million rows: viewports from
// a hundredth of the city to all of it, over spans from 15 minutes to the day. It reports
// the 95th percentile of all, and of the widest: the whole city over the whole day.
func BenchmarkViews(b *testing.B) {
	_, pool := testenv.Database(b, Schema())
	s := newStore(pool)
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const side = 0.067 // degrees: about 700 cells
	city := geo.Box{West: -56.2, South: -34.9, East: -56.2 + side, North: -34.9 + side}
	cells := map[s2.CellID]bool{}
	for lat := city.South; lat < city.North; lat += 0.001 {
		for lon := city.West; lon < city.East; lon += 0.001 {
			cells[cellAt(lat, lon)] = true
		}
	}
	fill(b, s, day, cells)

	rng := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // a test's own
	var all, widest []time.Duration
	for b.Loop() {
		part := []float64{0.1, 0.3, 0.5, 1}[rng.IntN(4)] * side
		west, south := city.West+(side-part)*rng.Float64(), city.South+(side-part)*rng.Float64()
		span := []time.Duration{15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}[rng.IntN(4)]
		from := day.Add(time.Duration(rng.Int64N(int64(24*time.Hour-span) + 1))).Truncate(window)

		began := time.Now()
		_, err := s.raw(b.Context(), from, from.Add(span), &geo.Box{West: west, South: south, East: west + part, North: south + part})
		took := time.Since(began)
		require.NoError(b, err)
		all = append(all, took)
		if span == 24*time.Hour && part == side {
			widest = append(widest, took)
		}
	}
	b.ReportMetric(float64(len(cells)*24*60), "rows")
	for name, took := range map[string][]time.Duration{"ms-p95": all, "ms-p95-widest": widest} {
		if slices.Sort(took); len(took) > 0 {
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, name)
		}
	}
}

// fill counts a point in each cell in each minute of a day.
func fill(b *testing.B, s *store, day time.Time, cells map[s2.CellID]bool) {
	b.Helper()
	for m := range 24 * 60 {
		t := tally{cells: map[place]count{}}
		at := day.Add(time.Duration(m) * time.Minute)
		for c := range cells {
			t.cells[place{at.UnixMilli(), uint64(c)}] = count{n: 1, first: at, last: at}
		}
		var q pgx.Batch
		s.addCells(&q, t)
		require.NoError(b, s.pool.SendBatch(b.Context(), &q).Close())
	}
	_, err := s.pool.Exec(b.Context(), `VACUUM ANALYZE heatmap.cells`)
	require.NoError(b, err)
}
