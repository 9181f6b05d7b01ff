package shardgroup_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// A worker that neither renews nor notices: its transaction is open, its rows
// written, when another takes over.
func TestAFrozenOwnerWritesNothing(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	want := put(s, 0, 10, "0")
	frozen, thaw := make(chan struct{}), make(chan struct{})
	var once sync.Once
	result := make(chan error, 1)
	var held atomic.Bool
	a := &applier{pool: gated(t, pool, &held, thaw), worker: "a"}
	_, stop := start(t, s, a, func(o *shardgroup.Options) {
		o.Processor = func(string) shardgroup.Processor { return freezing{a, &once, frozen, thaw, result} }
	})

	<-frozen
	held.Store(true)
	start(t, s, &applier{pool: pool, worker: "b"}, nil)
	eventually(t, pool, want)

	close(thaw)
	require.ErrorIs(t, <-result, shardgroup.ErrFenced)
	require.Equal(t, want, applied(t, pool))
	require.Equal(t, 10, count(t, pool, `SELECT count(*) FROM applied WHERE worker = 'b'`))
	stop()
}

// gated is a pool like the given one whose connections are given out no more
// while held, until thaw: a worker on it renews nothing.
func gated(t *testing.T, like *pgxpool.Pool, held *atomic.Bool, thaw chan struct{}) *pgxpool.Pool {
	t.Helper()
	cfg := like.Config()
	cfg.PrepareConn = func(ctx context.Context, _ *pgx.Conn) (bool, error) {
		if held.Load() {
			select {
			case <-thaw:
			case <-ctx.Done():
			}
		}
		return true, nil
	}

	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// freezing stops once between writing rows and the checkpoint, with a context
// that does not know of the lost lease.
type freezing struct {
	*applier
	once         *sync.Once
	frozen, thaw chan struct{}
	result       chan error
}

func (f freezing) Process(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
	first := false
	f.once.Do(func() { first = true })
	if !first {
		return f.applier.Process(ctx, b, commit)
	}

	a := &applier{pool: f.pool, worker: f.worker, before: func(context.Context, shardreader.Batch) error {
		close(f.frozen)
		<-f.thaw
		return nil
	}}

	err := a.Process(context.WithoutCancel(ctx), b, commit)
	f.result <- err
	return err
}

// A worker learns from its renewals, without a record to commit, that a lease is
// another's.
func TestALostLeaseIsNotRenewed(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	want := put(s, 0, 3, "0")
	g, _ := start(t, s, &applier{pool: pool, worker: "a"}, nil)
	eventually(t, pool, want)

	_, err := pool.Exec(t.Context(), `UPDATE shardgroup.leases SET owner = 'x', epoch = epoch + 1, expires_at = clock_timestamp() + interval '3 s'`)
	require.NoError(t, err)

	require.Eventually(t, func() bool { return g.Status().Shards[0].Worker == "x" }, 2*time.Second, 10*time.Millisecond)
	want = append(want, put(s, 3, 3, "0")...)
	eventually(t, pool, want) // once x's lease has expired
}
