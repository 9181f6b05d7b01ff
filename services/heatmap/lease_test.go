package heatmap

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/test/pointstest"
)

var errCommit = errors.New("no commit")

func noCommit(context.Context, pgx.Tx, ...shardreader.Position) error     { return nil }
func failedCommit(context.Context, pgx.Tx, ...shardreader.Position) error { return errCommit }

// arrival is a point that rises, at a place of its latitude.
func arrival(driver string, seq int64, lat float64, at time.Time) points.Arrival {
	return points.Arrival{
		Point: event.Point{Driver: driver, Seq: seq, At: at.UnixMilli(), Lat: lat, Lon: -56.2}, Shard: "0", Arrived: at, Rises: true,
	}
}

// A driver's place in a minute is written once in a lease: a row that went since, as no
// row does, is not written again until the lease is another or its place is.
func TestALeaseWritesPresenceOnce(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newStore(pool)
	minute, seq := newestMinute(time.Now()), int64(0)
	writes := func(l points.Store, want int, lat float64, at time.Time) {
		t.Helper()
		_, err := pool.Exec(t.Context(), `TRUNCATE heatmap.presence`)
		require.NoError(t, err)
		seq++
		_, err = l.Apply(t.Context(), []points.Arrival{arrival("d", seq, lat, at)}, noCommit)
		require.NoError(t, err)
		require.Equal(t, want, pointstest.Count(t, pool, `SELECT count(*)::int FROM heatmap.presence`))
	}

	first := points.ForLease(s, "0")
	_, err := first.Apply(t.Context(), []points.Arrival{arrival("d", 1, -34.9, minute)}, failedCommit)
	require.ErrorIs(t, err, errCommit)
	writes(first, 1, -34.9, minute)
	writes(first, 0, -34.9, minute.Add(time.Second))
	writes(first, 1, -34.9, minute.Add(time.Minute))
	writes(first, 1, -34.8, minute.Add(time.Minute))
	writes(points.ForLease(s, "0"), 1, -34.8, minute.Add(time.Minute))
}

// Whatever fails and whoever takes over, the marks that the next lease finds are those of
// committed batches, and they lie in few rows.
func TestMarksAreOfCommittedBatches(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newStore(pool)
	rng := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // a test's own
	drivers, committed := []string{"a", "b", "c"}, event.Mark{}
	check := func(l points.Store) {
		t.Helper()
		got := event.Mark{}
		require.NoError(t, l.Newest(t.Context(), drivers, got))
		require.Equal(t, committed, got)
	}

	l := points.ForLease(s, "0")
	for seq := range int64(300) {
		batch := []points.Arrival{arrival(drivers[rng.IntN(3)], seq+1, -34.9, time.Now())}
		if _, known := committed[batch[0].Driver]; known && rng.IntN(3) == 0 {
			batch[0].Rises = false
		}
		commit := noCommit
		if rng.IntN(100) == 0 {
			commit = failedCommit
		}

		_, err := l.Apply(t.Context(), batch, commit)
		switch {
		case err != nil:
			l = points.ForLease(s, "0")
		case batch[0].Rises:
			committed[batch[0].Driver] = batch[0].Seq
		}
		if rng.IntN(100) == 0 {
			l = points.ForLease(s, "0")
			check(l)
		}
		check(l)
		require.LessOrEqual(t, pointstest.Count(t, pool, `SELECT count(*)::int FROM heatmap.raised`), 3*timesRaised)
	}
	check(points.ForLease(s, "0"))
	require.Zero(t, pointstest.Count(t, pool, `SELECT count(*)::int FROM heatmap.raised`))
}

// Two leases of shards write at a time: that one begins, and merges all, takes no mark
// from the other.
func TestALeaseThatBeginsTakesNoMarkFromAnother(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s, now := newStore(pool), time.Now()
	held, mark := points.ForLease(s, "0"), event.Mark{}
	for seq := range int64(20) {
		_, err := held.Apply(t.Context(), []points.Arrival{arrival("d", seq+1, -34.9, now)}, noCommit)
		require.NoError(t, err)
		for _, l := range []points.Store{held, points.ForLease(s, "1"), held} {
			require.NoError(t, l.Newest(t.Context(), []string{"d"}, mark))
			require.Equal(t, event.Mark{"d": seq + 1}, mark)
		}
	}
}

// A point is late when its minute has been shown by the time it arrives.
func TestLatePointsAreCounted(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s, late := newStore(pool), 0
	s.late = func(n int) { late += n }
	minute := newestMinute(time.Now())
	batch := func(after time.Duration) []points.Arrival {
		a := arrival("d", after.Milliseconds()+1, -34.9, minute)
		a.Arrived = minute.Add(after)
		return []points.Arrival{a}
	}

	_, err := s.Apply(t.Context(), batch(window+settle), failedCommit)
	require.ErrorIs(t, err, errCommit)
	require.Zero(t, late, "it was not committed")
	for _, after := range []time.Duration{0, window + settle - time.Millisecond, window + settle, time.Hour} {
		_, err = s.Apply(t.Context(), batch(after), noCommit)
		require.NoError(t, err)
	}
	require.Equal(t, 2, late)
}
