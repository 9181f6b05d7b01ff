package shardgroup_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// renewedFor waits until a shard's lease was renewed for longer than some lease
// times from now on: what costs leases had the time to.
func renewedFor(t *testing.T, pool *pgxpool.Pool, shard string, leases int) {
	t.Helper()
	var until time.Time
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT clock_timestamp() + $1::interval`, time.Duration(leases)*ttl).Scan(&until))
	require.Eventually(t, func() bool {
		return count(t, pool, `SELECT count(*) FROM shardgroup.leases WHERE shard = $1 AND expires_at > $2`, shard, until) == 1
	}, time.Duration(leases)*ttl+10*time.Second, 10*time.Millisecond, "shard %s is renewed", shard)
}

// hangingList is a stream whose ListShards, once told to, never answers.
type hangingList struct {
	*fakestream.Stream
	hang  *atomic.Bool
	hangs chan struct{}
}

func (h hangingList) ListShards(ctx context.Context, in *kinesis.ListShardsInput, opts ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error) {
	if h.hang.Load() {
		select {
		case h.hangs <- struct{}{}:
		default:
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.Stream.ListShards(ctx, in, opts...)
}

func TestAnUnansweredListShardsCostsNoLease(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0", "1")
	want := put(s, 0, 2, "0", "1")
	var hang atomic.Bool
	hangs := make(chan struct{}, 1)
	start(t, s, &applier{pool: pool, worker: "a"}, func(o *shardgroup.Options) { o.Client = hangingList{s, &hang, hangs} })
	eventually(t, pool, want)

	hang.Store(true)
	s.Reshard([]string{"0"}, []string{"2"}) // a reason to list
	<-hangs
	renewedFor(t, pool, "1", 3)

	s.Put("1", "k", []byte("0002"))
	eventually(t, pool, append(want, "0002"))
	require.Equal(t, 1, count(t, pool, `SELECT epoch::int FROM shardgroup.leases WHERE shard = '1'`), "it was never lost")
}

// A worker freezes in a transaction that has locked its lease. What it holds
// beside goes to the other worker, which loses nothing of its own meanwhile.
func TestAnOpenTransactionOfAnotherCostsNoLease(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0", "1", "2")
	var held atomic.Bool
	var once sync.Once
	frozen, thaw := make(chan struct{}), make(chan struct{})
	a := &applier{pool: gated(t, pool, &held, thaw), worker: "a"}
	_, stop := start(t, s, a, func(o *shardgroup.Options) {
		o.Processor = func(string) shardgroup.Processor {
			return processor(func(_ context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
				ctx := context.Background()
				return pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
					_, err := tx.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`) // the worst case
					if err == nil {
						_, err = tx.Exec(ctx, `INSERT INTO applied (worker, shard, data) VALUES ('a', $1, $2)`, b.Shard, string(b.Records[0].Data))
					}
					if err == nil {
						err = commit(ctx, tx)
					}
					once.Do(func() { close(frozen); <-thaw })
					return err
				})
			})
		}
	})
	release := sync.OnceFunc(func() { close(thaw) })
	t.Cleanup(release)
	require.Eventually(t, func() bool {
		return count(t, pool, `SELECT count(*) FROM shardgroup.leases WHERE owner = 'a'`) == 3
	}, 10*time.Second, 10*time.Millisecond)
	s.Put("0", "k", []byte("0000"))
	<-frozen
	held.Store(true)

	b := &applier{pool: pool, worker: "b"}
	start(t, s, b, nil)
	others := `SELECT count(*) FROM shardgroup.leases WHERE owner = 'b' AND shard <> '0'`
	require.Eventually(t, func() bool { return count(t, pool, others) == 2 }, 10*time.Second, 10*time.Millisecond, "b takes what nobody has locked")
	renewedFor(t, pool, "1", 3)
	require.Equal(t, 4, count(t, pool, `SELECT sum(epoch)::int FROM shardgroup.leases WHERE shard <> '0'`), "b has lost neither of the two since")
	require.Equal(t, 1, count(t, pool, `SELECT epoch::int FROM shardgroup.leases WHERE shard = '0'`), "a could still commit")
	require.Never(t, func() bool {
		return count(t, pool, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) > 0
	}, 2*ttl, 20*time.Millisecond, "b waits for no lock")

	release()
	stop()
	eventually(t, pool, append([]string{"0000"}, put(s, 1, 3, "0", "1", "2")...))
}

// Many shards whose transactions queue for few connections: slow, and nothing
// but that.
func TestAPoolThatIsTooSmallCostsNoLease(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	cfg := pool.Config()
	cfg.MaxConns = 2
	small, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(small.Close)

	var shards []string
	for i := range 16 {
		shards = append(shards, fmt.Sprint("s", i))
	}
	s := fakestream.New(shards...)
	s.Limit(1)
	want := put(s, 0, 32, shards...)
	a := &applier{pool: small, worker: "a", before: func(context.Context, shardreader.Batch) error {
		time.Sleep(300 * time.Millisecond) // the work of a transaction
		return nil
	}}
	start(t, s, a, func(o *shardgroup.Options) { o.Pool = small })

	eventually(t, pool, want)
	require.Equal(t, 16, count(t, pool, `SELECT sum(epoch)::int FROM shardgroup.leases`), "each was acquired once")
}

func TestAPoolWithoutATimeoutIsWarnedOf(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t) // its time-out is 8 s
	for lease, want := range map[time.Duration]bool{10 * time.Second: false, 8 * time.Second: true} {
		var mu sync.Mutex
		var log bytes.Buffer
		g, stop := start(t, fakestream.New("0"), &applier{pool: pool, worker: "a"}, func(o *shardgroup.Options) {
			o.Lease, o.Log = lease, slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, nil))
		})
		require.Eventually(t, func() bool { return g.Ready(t.Context()) == nil }, 10*time.Second, 10*time.Millisecond)
		stop()
		require.Equal(t, want, bytes.Contains(log.Bytes(), []byte("idle_in_transaction_session_timeout is not below the lease time")), lease)
	}
}

type lockedWriter struct {
	mu  *sync.Mutex
	buf *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}
