package history

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/points"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
	"tandem/services/test/pointstest"
)

const counted = `SELECT coalesce(sum(points), 0)::int FROM history.removed WHERE reason = 'erased' AND driver = 'd'`

func forget(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	_, err := Forget(t.Context(), pool, "d", func(pgx.Tx) error { return nil })
	require.NoError(t, err)
}

func eraseRows(t *testing.T, pool *pgxpool.Pool) (n int64) {
	t.Helper()
	require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) (err error) {
		n, err = EraseRows(t.Context(), tx, "d")
		return err
	}))
	return n
}

// The stream still has the points. Whoever reads it again from its beginning, with no
// checkpoint, stores those of the others alone.
func TestAnErasedDriverStaysErased(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := fakestream.New("0")
	for i := range int64(5) {
		for _, driver := range []string{"d", "e"} {
			s.Put("0", driver, pointstest.Encode(t, driver, day2013+i*30_000_000)) // of two days
		}
	}
	s.Put("0", "d", pointstest.Encode(t, "d", day2013+30_000_000)) // a producer that sends again
	read := func(records int) {
		t.Run("read", func(t *testing.T) {
			pointstest.Read(t, s, pool, "a", newStore(pool))
			pointstest.Eventually(t, pool, records, pointstest.Records)
		})
	}
	again := func() {
		_, err := pool.Exec(t.Context(), `TRUNCATE shardgroup.streams, shardgroup.leases, shardgroup.checkpoints, shardgroup.gaps, shardgroup.dead_records`)
		require.NoError(t, err)
	}

	read(11)
	require.Equal(t, 10, pointstest.Count(t, pool, total))
	forget(t, pool)
	require.EqualValues(t, 5, eraseRows(t, pool))
	require.Equal(t, 2, pointstest.Count(t, pool, `SELECT count(*) FROM history.removed`), "a row for each day")

	again()
	read(11)
	require.Equal(t, 5, pointstest.Count(t, pool, `SELECT count(*) FROM history.points WHERE driver = 'e'`))
	require.Equal(t, 5, pointstest.Count(t, pool, total))
	require.Equal(t, 5, pointstest.Count(t, pool, counted), "they are not counted again")

	// What it sends from now on is kept, whoever reads it.
	s.Put("0", "d", pointstest.Encode(t, "d", day2013+200_000_000))
	read(12)
	require.Equal(t, 1, pointstest.Count(t, pool, `SELECT count(*) FROM history.points WHERE driver = 'd'`))
	again()
	read(12)
	require.Equal(t, 1, pointstest.Count(t, pool, `SELECT count(*) FROM history.points WHERE driver = 'd'`))

	forget(t, pool)
	require.EqualValues(t, 1, eraseRows(t, pool))
	require.Equal(t, 6, pointstest.Count(t, pool, counted))
	require.Zero(t, eraseRows(t, pool), "twice is once")
}

// A reader that is behind meets points that had arrived before the erasure. They are
// counted, once, and a repeat of one that arrives later is known.
func TestWhatWasUnreadWhenItsDriverWasErasedIsCountedOnce(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s, now := newStore(pool), time.Now().Truncate(time.Millisecond)
	of := func(after time.Duration) time.Time { return now.Add(after) }
	before, later := now.Add(-time.Minute), now.Add(time.Hour)
	apply(t, s, arrival("d", of(1), before), arrival("e", of(1), before))
	forget(t, pool)
	require.EqualValues(t, 1, eraseRows(t, pool))

	two := func(arrived time.Time) []points.Arrival {
		return []points.Arrival{arrival("d", of(time.Millisecond), arrived), arrival("d", of(2*time.Millisecond), arrived)}
	}
	unread := append(two(before), arrival("d", of(time.Millisecond), before), arrival("e", of(2*time.Millisecond), before))
	require.Equal(t, points.Outcome{Skipped: 3}, apply(t, s, unread...))
	require.Equal(t, 3, pointstest.Count(t, pool, counted))
	require.Equal(t, points.Outcome{Skipped: 3, Repeated: 1}, apply(t, s, unread...))
	require.Equal(t, points.Outcome{Skipped: 2}, apply(t, s, two(later)...), "repeats that arrived later")
	require.Equal(t, 3, pointstest.Count(t, pool, counted))

	after := arrival("d", of(3*time.Millisecond), later)
	after.Rises = false
	require.Equal(t, points.Outcome{}, apply(t, s, after))
	require.Equal(t, 1, pointstest.Count(t, pool, `SELECT count(*) FROM history.points WHERE driver = 'd'`))

	// Its clock may be behind the stream's: what is stored by now is erased all the same.
	forget(t, pool)
	require.EqualValues(t, 1, eraseRows(t, pool))
	require.Equal(t, 1, pointstest.Count(t, pool, `SELECT sum(not_rising)::int FROM history.removed`), "the heatmap has not counted it")
	forget(t, pool) // again, with no row of it left
	require.Equal(t, points.Outcome{Skipped: 3, Repeated: 1}, apply(t, s, unread...))
	require.Equal(t, 4, pointstest.Count(t, pool, counted))
}

// A batch that was begun before the erasure has not seen it, and commits after it began.
func TestAnErasureWaitsForTheBatchesThatAreOpen(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newStore(pool)
	now := time.Now()
	apply(t, s, arrival("e", now, now)) // the day's partition

	inserted, release := make(chan bool), make(chan bool)
	let := sync.OnceFunc(func() { close(release) })
	defer let()
	var committed atomic.Bool
	stored := make(chan error, 1)
	go func() {
		_, err := s.Apply(context.Background(), []points.Arrival{arrival("d", now, now)}, func(context.Context, pgx.Tx, ...shardreader.Position) error {
			inserted <- true
			<-release
			committed.Store(true)
			return nil
		})
		stored <- err
	}()
	<-inserted

	forgot := make(chan error, 1)
	go func() {
		_, err := Forget(context.Background(), pool, "d", func(pgx.Tx) error { assert.True(t, committed.Load()); return nil })
		forgot <- err
	}()
	require.Eventually(t, func() bool {
		return pointstest.Count(t, pool, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`) > 0
	}, 10*time.Second, time.Millisecond)
	require.Empty(t, forgot)

	let()
	require.NoError(t, <-stored)
	require.NoError(t, <-forgot)
	require.EqualValues(t, 1, eraseRows(t, pool))
	require.Equal(t, 1, pointstest.Count(t, pool, total))
}

// An import's day that was never created is not created, or parked, for what is erased.
func TestWhatIsErasedNeedsNoPartition(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newStore(pool)
	s.perDay = 0
	forget(t, pool)

	require.Equal(t, points.Outcome{Skipped: 1}, apply(t, s, arrival("d", time.UnixMilli(day2013), time.Now().Add(-time.Hour))))
	require.Zero(t, pointstest.Count(t, pool, `SELECT count(*) FROM pg_inherits WHERE inhparent = 'history.points'::regclass`))
}
