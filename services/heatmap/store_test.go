package heatmap

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/golang/geo/s2"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/domain/points"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/test/pointstest"
)

// Two shards bring points of one cell and window in any order of arrival, and a
// batch may hold repeats alone: rows add up, bounds widen, marks do not go back.
func TestBatchesAddUpInTheStore(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s, ctx := newStore(pool), context.Background()
	arrived := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	apply := func(driver string, seq int64, after time.Duration, rises bool) {
		a := points.Arrival{
			Point: event.Point{Driver: driver, Seq: seq, At: pointstest.Day2013, Lat: -34.9, Lon: -56.2},
			Shard: "0", Arrived: arrived.Add(after), Rises: rises,
		}
		_, err := s.Apply(ctx, []points.Arrival{a}, func(context.Context, pgx.Tx, ...shardreader.Position) error { return nil })
		require.NoError(t, err)
	}

	apply("a", 20, time.Second, true)
	apply("b", 10, 0, true)
	apply("b", 11, 2*time.Second, true)
	apply("a", 5, 3*time.Second, false)
	apply("a", 20, 4*time.Second, false)

	var n int64
	var first, last time.Time
	require.NoError(t, pool.QueryRow(ctx, `SELECT n, first_arrived, last_arrived FROM heatmap.cells`).Scan(&n, &first, &last))
	require.EqualValues(t, 3, n)
	require.True(t, first.Equal(arrived), first)
	require.True(t, last.Equal(arrived.Add(2*time.Second)), last)

	mark := event.Mark{}
	require.NoError(t, s.Newest(ctx, []string{"a", "b"}, mark))
	require.Equal(t, event.Mark{"a": 20, "b": 11}, mark)
	apply("a", 5, 5*time.Second, false)
	require.NoError(t, s.Newest(ctx, []string{"a", "b"}, mark))
	require.Equal(t, event.Mark{"a": 20, "b": 11}, mark)
	require.Equal(t, 3, pointstest.Count(t, pool, `SELECT skipped::int FROM heatmap.marks WHERE driver = 'a'`))
}

// Two processes that compute the map of a minute at a time, one with a point more, both
// answer with that of the first.
func TestTheFirstMapOfAMinuteStays(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s, minute := newStore(pool), newestMinute(time.Now())
	_, err := s.shown(t.Context(), minute)
	require.ErrorIs(t, err, pgx.ErrNoRows)

	first := shown{cells: []int64{-1, 2}, classes: []string{"5-9", "10-19"}}
	for _, m := range []shown{first, {cells: []int64{}, classes: []string{}}} {
		kept, err := s.keepShown(t.Context(), minute, m)
		require.NoError(t, err)
		require.Equal(t, first, kept)
	}
}

// Whatever the span and the viewport, raw counts are those of the minutes, although whole
// hours come from rows of their own; cells may only be more than what meets the viewport.
func TestAnySpanAddsUpItsMinutes(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s, rng := newStore(pool), rand.New(rand.NewPCG(1, 1)) //nolint:gosec // a test's own
	began := time.Date(2026, 1, 1, 22, 0, 0, 0, time.UTC)
	minute := func() time.Time { return began.Add(time.Duration(rng.IntN(5*60)) * time.Minute) }
	var all []points.Arrival
	for i := range int64(3000) {
		a := arrival("d", i+1, -34.9+0.05*rng.Float64(), minute().Add(time.Duration(rng.IntN(60_000))*time.Millisecond))
		a.Arrived = began.Add(time.Duration(rng.IntN(1_000_000)) * time.Millisecond)
		all = append(all, a)
	}
	for batch := range slices.Chunk(all, 500) {
		_, err := s.Apply(t.Context(), batch, noCommit)
		require.NoError(t, err)
	}

	for range 60 {
		from := minute().Add(time.Duration(rng.IntN(2)) * time.Second)
		to := from.Add(time.Duration(rng.Int64N(int64(5 * time.Hour))))
		if rng.IntN(3) == 0 {
			from, to = from.Truncate(time.Hour), to.Truncate(time.Hour)
		}
		var view *geo.Box
		if south := -34.9 + 0.05*rng.Float64(); rng.IntN(2) == 0 {
			view = &geo.Box{West: -56.3, South: south, East: -56.1, North: south + 0.02*rng.Float64()}
		}

		want := map[s2.CellID]count{}
		for _, a := range all {
			p := placeOf(a.Point)
			if id := s2.CellID(p.cell); !p.window().Before(from) && p.window().Before(to) && (view == nil || meets(id, *view)) {
				want[id] = want[id].plus(count{n: 1, first: a.Arrived, last: a.Arrived})
			}
		}
		rows, err := s.raw(t.Context(), from, to, view)
		require.NoError(t, err)
		got := map[s2.CellID]count{}
		for _, r := range rows {
			id := s2.CellID(r.Cell) //nolint:gosec // all 64 bits are kept
			if view == nil || meets(id, *view) {
				got[id] = count{r.N, r.FirstArrived.UTC(), r.LastArrived.UTC()}
			}
		}
		require.Equal(t, want, got, "%s to %s of %v", from, to, view)
	}
}

// The ids that a view asks for are those of every cell that meets it, however small it is.
func TestNoCellOfAViewIsLeftOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.SampledFrom([]float64{1e-5, 0.003, 0.02, 0.1}).Draw(t, "side") // degrees: 1 m to 10 km
		south, west := rapid.Float64Range(-60, 60).Draw(t, "south"), rapid.Float64Range(-179, 178).Draw(t, "west")
		view := geo.Box{West: west, South: south, East: west + side*rapid.Float64Range(0.1, 1).Draw(t, "width"), North: south + side}

		least, most := cellsAbout(&view)
		every := s2.RegionCoverer{MinLevel: level, MaxLevel: level, MaxCells: 1 << 20}
		for _, id := range every.Covering(rectOf(view)) {
			require.True(t, meets(id, view))
			require.LessOrEqual(t, least, int64(id))   //nolint:gosec // all 64 bits are kept
			require.GreaterOrEqual(t, most, int64(id)) //nolint:gosec // all 64 bits are kept
		}
	})
}

// A heatmap of before there were hours adds to minutes alone, and one that starts mends it,
// as long as there may have been such a one: it reads both tables whole.
func TestHoursAreMended(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s, day := newStore(pool), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err := s.Apply(t.Context(), []points.Arrival{arrival("a", 1, -34.9, day), arrival("a", 2, -34.9, day.Add(2*time.Hour+59*time.Minute)), arrival("b", 1, -34.8, day)}, noCommit)
	require.NoError(t, err)
	mends := func(hoursAgo int, want bool) {
		t.Helper()
		_, err := pool.Exec(t.Context(), `UPDATE heatmap.goose_db_version SET tstamp = now() - make_interval(hours => $1) WHERE version_id = $2`, hoursAgo, hoursVersion)
		require.NoError(t, err)
		mended, err := s.mendHours(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, mended)
	}
	mends(0, false)

	for _, sql := range []string{
		`UPDATE heatmap.cells SET n = n + 4, last_arrived = last_arrived + interval '1 s' WHERE window_at = (SELECT max(window_at) FROM heatmap.cells)`,
		`INSERT INTO heatmap.cells SELECT generation, window_at + interval '1 min', 7, 2, first_arrived, last_arrived FROM heatmap.cells WHERE n > 1`,
		`INSERT INTO heatmap.hours SELECT generation, hour_at + interval '5 h', 8, 1, first_arrived, last_arrived FROM heatmap.hours LIMIT 1`,
	} {
		_, err := pool.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	mends(49, false)
	mends(47, true)
	require.Zero(t, pointstest.Count(t, pool, `
		WITH minutes AS (SELECT generation, date_trunc('hour', window_at, 'UTC') AS hour_at, cell, sum(n)::bigint AS n,
			min(first_arrived) AS first_arrived, max(last_arrived) AS last_arrived FROM heatmap.cells GROUP BY 1, 2, 3)
		SELECT count(*)::int FROM ((TABLE heatmap.hours EXCEPT TABLE minutes) UNION ALL (TABLE minutes EXCEPT TABLE heatmap.hours)) AS off`))
}
