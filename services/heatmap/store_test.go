package heatmap

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
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
