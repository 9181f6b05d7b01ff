// Package pointstest tests a durable reader of points, whatever its rows are:
// each point counts once, whatever fails and whoever takes over, and across a
// restart of the service. Only tests import it.
package pointstest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
	"tandem/services/test/testenv"
)

// Day2013 is a sequence of 2013-07-01, as in recorded trips.
const Day2013 = 1372636858000

// Records counts the records that were applied, repeats too.
const Records = `SELECT coalesce(sum(records), 0)::int FROM shardgroup.checkpoints`

// Encode returns the record of a point whose fix time is its sequence.
func Encode(t *testing.T, driver string, seq int64) []byte {
	t.Helper()
	b, err := event.Point{Driver: driver, Seq: seq, At: seq, Lat: -34.9, Lon: -56.2, Speed: new(8.0)}.Encode()
	require.NoError(t, err)
	return b
}

// Database returns a database with the reader's schema and shardgroup's.
func Database(t *testing.T, schema postgres.Schema) (dbURL string, pool *pgxpool.Pool) {
	t.Helper()
	return testenv.Database(t, schema, postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})
}

// Read applies s to store until the test ends.
func Read(t *testing.T, s *fakestream.Stream, pool *pgxpool.Pool, worker string, store points.Store) *points.Group {
	t.Helper()
	g, err := points.NewGroup(points.GroupOptions{
		Name: "reader", Generation: 1, Store: store, Pool: pool, Client: s, Worker: worker, Lease: 800 * time.Millisecond,
		PollEvery: 20 * time.Millisecond, Backoff: 100 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return g
}

// Count returns the number that sql selects.
func Count(t *testing.T, pool *pgxpool.Pool, sql string) (n int) {
	t.Helper()
	require.NoError(t, pool.QueryRow(context.Background(), sql).Scan(&n))
	return n
}

// Eventually waits until sql selects want, and fails where it selects more.
func Eventually(t *testing.T, pool *pgxpool.Pool, want int, sql string) {
	t.Helper()
	require.Eventually(t, func() bool { return Count(t, pool, sql) >= want }, 20*time.Second, 20*time.Millisecond, sql)
	require.Equal(t, want, Count(t, pool, sql), sql)
}

// OnceThroughFailures puts 200 points and 20 repeats of them on two shards, and
// has two processes read them with a store that fails half of the time. total
// selects how many points have had their effect.
func OnceThroughFailures(t *testing.T, pool *pgxpool.Pool, store func() points.Store, total string) {
	t.Helper()
	s := fakestream.New("0", "1")
	s.Limit(7)
	drivers, shards := []string{"a", "b", "c", "d"}, []string{"0", "1"}
	for i := range 200 {
		shard, driver := shards[i%2], drivers[i%4]
		record := Encode(t, driver, Day2013+int64(i/4)*1000)
		s.Put(shard, driver, record)
		if i%10 == 9 { // a producer that sends again
			s.Put(shard, driver, record)
		}
	}

	var tries tries
	Read(t, s, pool, "a", failing{store(), &tries})
	Read(t, s, pool, "b", failing{store(), &tries})

	Eventually(t, pool, 220, Records)
	require.Equal(t, 200, Count(t, pool, total))
}

// RowsAndCheckpointTogether applies a batch whose checkpoint fails: none of its
// rows may be there. total selects how many points have had their effect.
func RowsAndCheckpointTogether(t *testing.T, pool *pgxpool.Pool, store points.Store, total string) {
	t.Helper()
	arrival := points.Arrival{
		Point: event.Point{Driver: "d", Seq: Day2013, At: Day2013, Lat: -34.9, Lon: -56.2}, Arrived: time.Now(), Shard: "0", Rises: true,
	}
	fenced := func(context.Context, pgx.Tx, ...shardreader.Position) error { return shardgroup.ErrFenced }

	_, err := store.Apply(context.Background(), []points.Arrival{arrival}, fenced)
	require.ErrorIs(t, err, shardgroup.ErrFenced)
	require.Zero(t, Count(t, pool, total))
}

// failing is a store that fails before its transaction is committed, or after it
// as if the answer had been lost.
type failing struct {
	points.Store
	tries *tries
}

// tries counts the calls of all stores together.
type tries struct {
	mu sync.Mutex
	n  int
}

func (t *tries) next() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
	return t.n
}

// ForLease makes what is remembered for a lease fail too.
func (f failing) ForLease(shard string) points.Store {
	return failing{points.ForLease(f.Store, shard), f.tries}
}

func (f failing) Apply(ctx context.Context, batch []points.Arrival, commit shardgroup.Commit) (points.Outcome, error) {
	n := f.tries.next()
	if n%4 == 1 {
		return f.Store.Apply(ctx, batch, func(ctx context.Context, tx pgx.Tx, _ ...shardreader.Position) error {
			return errors.Join(commit(ctx, tx), errors.New("failed after the checkpoint was written"))
		})
	}

	out, err := f.Store.Apply(ctx, batch, commit)
	if err == nil && n%4 == 3 {
		return points.Outcome{}, errors.New("the commit's answer was lost")
	}
	return out, err
}
