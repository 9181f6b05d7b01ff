package history

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

// While a replay has written and not committed, readers store what arrives, also repeats
// of rows that it leaves alone; retention finds the day in use, and drops it afterwards.
func TestAReplayHoldsUpNoReader(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	st := newStore(pool)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	arrived := time.Now().UTC().Truncate(time.Millisecond)
	at := func(driver string, after time.Duration) points.Arrival {
		return points.Arrival{Point: event.Point{Driver: driver, Seq: day2013, At: day2013}, Arrived: arrived.Add(after), Shard: "0", Rises: true}
	}
	store := func(ctx context.Context, batch ...points.Arrival) error {
		_, err := st.Apply(ctx, batch, func(context.Context, pgx.Tx, ...shardreader.Position) error { return nil })
		return err
	}
	require.NoError(t, store(ctx, at("right", 0), at("lost", 0), at("outside", 2*time.Second)))
	_, err := pool.Exec(ctx, `DELETE FROM history.points WHERE driver = 'lost'`)
	require.NoError(t, err)

	r, err := NewReplay(ctx, pool, arrived, arrived.Add(time.Second))
	require.NoError(t, err)
	defer r.Close()
	_, err = NewReplay(ctx, pool, arrived, arrived.Add(time.Second))
	require.ErrorIs(t, err, ErrReplayUnderWay)
	require.NoError(t, r.Add(ctx, []points.Arrival{at("right", 0), at("lost", 0), at("lost", 1)}))

	tx, err := r.conn.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	done, err := r.replace(ctx, tx, nil)
	require.NoError(t, err)
	require.EqualValues(t, 1, done.Before.Rows)
	require.EqualValues(t, 2, done.After.Rows)
	require.EqualValues(t, 1, done.Repeated)

	short, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	require.NoError(t, store(short, at("new", 3*time.Second), at("right", 3*time.Second), at("outside", 3*time.Second)))
	tx2, err := pool.Begin(ctx)
	require.NoError(t, err)
	_, err = tx2.Exec(ctx, `SET LOCAL lock_timeout = '50ms'; LOCK TABLE history.points_20130701 IN SHARE MODE`)
	require.Error(t, err, "a day that is being replayed is not dropped")
	require.NoError(t, tx2.Rollback(ctx))

	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, 4, pointstest.Count(t, pool, total))
}
