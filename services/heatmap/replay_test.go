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

// Nothing of a generation is shown before it is swapped in; while it is compared, readers
// count what arrives; and a row that a late point has reached meanwhile is left to it.
func TestAReplayHoldsUpNoReader(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newStore(pool)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	arrived := time.Now().UTC().Truncate(time.Millisecond)
	at := func(minute int64, after time.Duration) points.Arrival {
		ms := pointstest.Day2013 + minute*60_000 + after.Milliseconds()
		return points.Arrival{Point: event.Point{Driver: "d", Seq: ms, At: ms, Lat: -34.9, Lon: -56.2}, Arrived: arrived.Add(after), Shard: "0", Rises: true}
	}
	count := func(batch ...points.Arrival) {
		t.Helper()
		_, err := s.Apply(ctx, batch, func(context.Context, pgx.Tx, ...shardreader.Position) error { return nil })
		require.NoError(t, err)
	}
	count(at(0, 0), at(5, 1), at(9, 2))
	for _, sql := range []string{`UPDATE heatmap.cells SET n = 9`, `UPDATE heatmap.hours SET n = 27`} {
		_, err := pool.Exec(ctx, sql)
		require.NoError(t, err)
	}

	r, err := NewReplay(ctx, pool, arrived, arrived.Add(time.Second))
	require.NoError(t, err)
	defer r.Close()
	_, err = NewReplay(ctx, pool, arrived, arrived.Add(time.Second))
	require.ErrorIs(t, err, ErrReplayUnderWay)
	require.NoError(t, r.Add(ctx, []points.Arrival{at(0, 0), at(5, 1)}))
	require.NoError(t, r.Add(ctx, []points.Arrival{at(9, 2), at(9, 3)}))
	raw, err := s.raw(ctx, arrived.AddDate(-20, 0, 0), arrived, nil)
	require.NoError(t, err)
	require.EqualValues(t, 27, raw[0].N, "the live rows alone")

	tx, err := r.conn.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	var out Swapped
	require.NoError(t, r.compare(ctx, tx, time.Time{}, &out))
	require.EqualValues(t, 3, out.Removed)
	count(at(5, 1500*time.Millisecond))
	require.NoError(t, r.swap(ctx, tx, &out))
	require.NoError(t, tx.Commit(ctx))

	after, err := r.readAgain(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 2, after.Rows)
	require.Equal(t, 1+10+2, pointstest.Count(t, pool, total))
	require.Equal(t, 3, pointstest.Count(t, pool, `SELECT count(*)::int FROM heatmap.cells`))
	require.Equal(t, 1+10+2, pointstest.Count(t, pool, `SELECT sum(n)::int FROM heatmap.hours`))
}
