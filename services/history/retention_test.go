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

const expiredPoints = `SELECT coalesce(sum(points), 0) FROM history.removed WHERE reason = 'expired' AND driver IS NULL`

// dayN is the n-th day of 2013-07, at noon.
func dayN(n int) time.Time {
	return time.UnixMilli(day2013).UTC().Truncate(24*time.Hour).AddDate(0, 0, n).Add(12 * time.Hour)
}

func arrival(driver string, of, arrived time.Time) points.Arrival {
	seq := of.UnixMilli()
	return points.Arrival{Point: event.Point{Driver: driver, Seq: seq, At: seq}, Arrived: arrived, Shard: "0", Rises: true}
}

func apply(t *testing.T, s *store, batch ...points.Arrival) points.Outcome {
	t.Helper()
	out, err := s.Apply(t.Context(), batch, func(context.Context, pgx.Tx, ...shardreader.Position) error { return nil })
	require.NoError(t, err)
	return out
}

func TestAWeekIsDroppedAndIsNotCreatedAgain(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s, other := newStore(pool), newStore(pool)
	for n := range 10 {
		apply(t, s, arrival("d", dayN(n), dayN(n)))
	}
	apply(t, other, arrival("e", dayN(2).Add(time.Hour), dayN(9))) // keeps its day for a week
	behind := arrival("e", dayN(0), dayN(0))
	behind.Rises = false
	apply(t, other, behind)
	s.now = func() time.Time { return dayN(14).Add(time.Hour) }

	n, err := s.dropOld(t.Context(), DefaultKeep)
	require.NoError(t, err)

	require.EqualValues(t, 7, n)
	require.Equal(t, 4, pointstest.Count(t, pool, partitions), "of days 7 to 9, and of day 2")
	require.Equal(t, 5, pointstest.Count(t, pool, total))
	require.Equal(t, 7, pointstest.Count(t, pool, expiredPoints))

	told := 0
	for i, late := range []*store{s, other, newStore(pool)} { // other believes that the day is there
		late.late = func(n int) { told += n }
		tooLate := arrival("f", dayN(0), dayN(14))
		tooLate.Rises = i == 0
		out := apply(t, late, tooLate, arrival("g", dayN(9).Add(time.Duration(i)*time.Second), dayN(14)))
		require.Equal(t, 1, out.Skipped)
	}
	require.NoError(t, newStore(pool).createDay(t.Context(), dateOf(dayN(0)), true)) // as one that has listed the days before the drop
	require.Equal(t, 3, told)
	require.Equal(t, 4, pointstest.Count(t, pool, partitions), "day 0 is not created again")
	require.Equal(t, 8, pointstest.Count(t, pool, total))
	require.Equal(t, 10, pointstest.Count(t, pool, expiredPoints))
	require.Equal(t, 3, pointstest.Count(t, pool, `SELECT sum(not_rising)::int FROM history.removed`), "the heatmap has not counted them")

	n, err = s.dropOld(t.Context(), DefaultKeep)
	require.NoError(t, err)
	require.Zero(t, n)

	s.now = func() time.Time { return dayN(30) }
	n, err = s.dropOld(t.Context(), DefaultKeep)
	require.NoError(t, err)
	require.EqualValues(t, 8, n)
	require.Equal(t, 18, pointstest.Count(t, pool, expiredPoints))
}

// An import's points are of a day long ago, and arrived today.
func TestAnImportIsKeptFromItsArrival(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newStore(pool)
	require.NoError(t, s.ensureDays(t.Context(), []points.Arrival{arrival("d", dayN(1), time.Now())})) // empty still
	apply(t, s, arrival("d", dayN(0), time.Now()))

	s.now = func() time.Time { return time.Now().Add(DefaultKeep - time.Minute) }
	_, err := s.dropOld(t.Context(), DefaultKeep)
	require.NoError(t, err)
	require.Equal(t, 2, pointstest.Count(t, pool, partitions))

	s.now = func() time.Time { return time.Now().Add(DefaultKeep + time.Minute) }
	_, err = s.dropOld(t.Context(), DefaultKeep)
	require.NoError(t, err)
	require.Zero(t, pointstest.Count(t, pool, partitions))
	require.Zero(t, pointstest.Count(t, pool, `SELECT count(*) FROM history.days WHERE dropped_at IS NULL`), "they are not created again")
}

// A drop that found its day old, and then waited for a writer, looks again.
func TestADropLeavesADayThatIsWrittenTo(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newStore(pool)
	apply(t, s, arrival("d", dayN(0), dayN(0)))
	s.now = func() time.Time { return dayN(8) }
	open, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = open.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = s.insert(t.Context(), open, []points.Arrival{arrival("e", dayN(0), dayN(8))})
	require.NoError(t, err)

	dropped := make(chan error, 1)
	go func() {
		_, err := s.dropOld(t.Context(), DefaultKeep)
		dropped <- err
	}()
	waits := `SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'history.` + partitionOf(dayN(0)) + `'::regclass`
	require.Eventually(t, func() bool { return pointstest.Count(t, pool, waits) > 0 }, 10*time.Second, time.Millisecond)
	require.NoError(t, open.Commit(t.Context()))
	require.NoError(t, <-dropped)
	require.Equal(t, 2, pointstest.Count(t, pool, total))
	require.Zero(t, pointstest.Count(t, pool, expiredPoints))
}

// A drop waits for who writes, and nobody waits for the drop.
func TestADropHoldsUpNoWriter(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newStore(pool)
	apply(t, s, arrival("d", dayN(0), dayN(0)), arrival("d", dayN(1), dayN(1)))
	s.now = func() time.Time { return dayN(8).Add(time.Hour) } // day 0's time has come, day 1's has not
	open, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = open.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = s.insert(t.Context(), open, []points.Arrival{arrival("e", dayN(1), dayN(1))})
	require.NoError(t, err)

	dropped := make(chan error, 1)
	go func() {
		_, err := s.dropOld(t.Context(), DefaultKeep)
		dropped <- err
	}()
	const waits = `SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'history.points'::regclass`
	require.Eventually(t, func() bool { return pointstest.Count(t, pool, waits) > 0 }, 10*time.Second, 5*time.Millisecond)
	writer := newStore(pool)
	for i := range 3 {
		short, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		_, err := writer.Apply(short, []points.Arrival{arrival("f", dayN(1).Add(time.Duration(i)*time.Millisecond), dayN(1))}, func(context.Context, pgx.Tx, ...shardreader.Position) error { return nil })
		cancel()
		require.NoError(t, err)
	}
	require.Equal(t, 2, pointstest.Count(t, pool, partitions))

	require.NoError(t, open.Commit(t.Context()))
	require.NoError(t, <-dropped)
	require.Equal(t, 1, pointstest.Count(t, pool, partitions))
}

// What a drop counts arrived days before it, so that who reads the last day again does not
// read it; a point that came too late has just arrived.
func TestADropIsNoReasonNotToReadAgain(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	since := func(ago time.Duration) bool {
		yes, err := ExpiredSince(t.Context(), pool, time.Now().Add(-ago))
		require.NoError(t, err)
		return yes
	}
	run := func(sql string) {
		_, err := pool.Exec(t.Context(), sql)
		require.NoError(t, err)
	}

	run(`WITH day AS (INSERT INTO history.days (day, dropped_at) VALUES ('2026-01-01', now() - interval '1 h') RETURNING *)
		INSERT INTO history.removed (reason, day, points, not_rising, removed_at) SELECT 'expired', day, 5, 0, dropped_at FROM day`)
	require.False(t, since(2*time.Hour))
	require.False(t, since(LeastKeep))
	require.True(t, since(LeastKeep+2*time.Hour), "it may have been kept for so long alone")

	run(`INSERT INTO history.removed (reason, day, points, not_rising, removed_at) VALUES ('expired', '2026-01-01', 1, 0, now() - interval '30 min')`)
	require.True(t, since(2*time.Hour))
	require.False(t, since(10*time.Minute))
}
