package shardgroup_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// A lease so long that nothing renews it while a test looks.
func long(o *shardgroup.Options) { o.Lease = 10 * time.Minute }

// processor is a Processor of one function.
type processor func(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error

func (p processor) Process(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
	return p(ctx, b, commit)
}

// The rows are written when the lease ends, or becomes another life's: the
// checkpoint is refused, whatever this process believes.
func TestTheCheckpointIsFenced(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"expired":       `UPDATE shardgroup.leases SET expires_at = clock_timestamp() - interval '1 ms'`,
		"another epoch": `UPDATE shardgroup.leases SET epoch = epoch + 1`,
		"another owner": `UPDATE shardgroup.leases SET owner = 'x'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := applierDatabase(t)
			s := fakestream.New("0")
			put(s, 0, 1, "0")

			first := make(chan error, 1)
			var once sync.Once
			fenced := &applier{pool: pool, worker: "a", before: func(ctx context.Context, _ shardreader.Batch) error {
				_, err := pool.Exec(ctx, change)
				return err
			}}
			start(t, s, &applier{pool: pool, worker: "a"}, func(o *shardgroup.Options) {
				long(o)
				o.Processor = func(string) shardgroup.Processor {
					return processor(func(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
						err := fenced.Process(ctx, b, commit)
						once.Do(func() { first <- err })
						return err
					})
				}
			})
			require.ErrorIs(t, <-first, shardgroup.ErrFenced)
		})
	}
}

// From the checkpoint to the end of its transaction nobody takes the lease over.
// The second batch is looked at: the first one's checkpoint is a new row, whose
// foreign key locks the lease too.
func TestACommitHoldsTheLease(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	s.Limit(1)
	put(s, 0, 2, "0")

	taken := make(chan error, 2)
	start(t, s, &applier{pool: pool, worker: "a"}, func(o *shardgroup.Options) {
		long(o)
		o.Processor = func(string) shardgroup.Processor {
			return processor(func(ctx context.Context, _ shardreader.Batch, commit shardgroup.Commit) error {
				return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
					if err := commit(ctx, tx); err != nil {
						return err
					}
					_, err := pool.Exec(ctx, `SELECT FROM shardgroup.leases FOR UPDATE NOWAIT`)
					taken <- err
					return nil
				})
			})
		}
	})

	for range 2 {
		var refused *pgconn.PgError
		require.ErrorAs(t, <-taken, &refused)
		require.Equal(t, "55P03", refused.Code, "lock_not_available")
	}
}

// late does something once, between a worker's look at the leases and its taking
// of one.
type late struct {
	once sync.Once
	do   func()
}

func (l *late) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	if strings.Contains(q.SQL, "epoch = epoch + 1") {
		l.once.Do(l.do)
	}
	return ctx
}

func (l *late) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Another worker gets the lease, and holds it, after this one has planned to take
// it.
func TestALiveLeaseIsNotTaken(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	put(s, 0, 1, "0")

	done := make(chan struct{})
	l := &late{do: func() {
		defer close(done)
		_, err := pool.Exec(context.Background(), `UPDATE shardgroup.leases SET owner = 'x', expires_at = clock_timestamp() + interval '1 hour'`)
		must(err)
	}}
	cfg := pool.Config()
	cfg.ConnConfig.Tracer = l
	traced, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(traced.Close)

	g, _ := start(t, s, &applier{pool: traced, worker: "a"}, nil)
	<-done
	// A look at the leases that is later than the attempt to take one.
	since := time.Now()
	require.Eventually(t, func() bool {
		st := g.Status()
		return time.Since(since) > ttl && len(st.Shards) == 1
	}, 20*time.Second, 20*time.Millisecond)
	require.Equal(t, "x", g.Status().Shards[0].Worker)
	require.False(t, g.Status().Shards[0].Known, "how far another worker is behind is not known here")
	require.Empty(t, applied(t, pool))
}

// A processor that forgets its checkpoint does not go on: at the next start its
// batch would be read again, or lost.
func TestAProcessorMustCommit(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	put(s, 0, 1, "0")
	g, _ := start(t, s, &applier{pool: pool, worker: "a"}, func(o *shardgroup.Options) {
		o.Processor = func(string) shardgroup.Processor {
			return processor(func(context.Context, shardreader.Batch, shardgroup.Commit) error { return nil })
		}
	})

	require.Eventually(t, func() bool {
		st := g.Status()
		return len(st.Shards) == 1 && st.Shards[0].Err != nil && strings.Contains(st.Shards[0].Err.Error(), "without a checkpoint")
	}, 20*time.Second, 10*time.Millisecond)
}

// A processor that returns nil although its transaction was rolled back passes over
// nothing: the next commit finds the checkpoint of before, and the records come again.
func TestARolledBackCheckpointIsNoticed(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	want := put(s, 0, 1, "0")

	var lied atomic.Bool
	a := &applier{pool: pool, worker: "a"}
	start(t, s, a, func(o *shardgroup.Options) {
		o.Processor = func(string) shardgroup.Processor {
			return processor(func(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
				if lied.Swap(true) {
					return a.Process(ctx, b, commit)
				}
				tx, err := pool.Begin(ctx)
				if err == nil {
					err = errors.Join(commit(ctx, tx), tx.Rollback(ctx))
				}
				return err
			})
		}
	})

	require.Eventually(t, lied.Load, 20*time.Second, 10*time.Millisecond)
	eventually(t, pool, append(want, put(s, 1, 5, "0")...))
}

// A processor may apply a batch in several transactions, and return before its end.
func TestAPartOfABatchIsCommitted(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	want := put(s, 0, 7, "0")

	var sizes []int
	upTo := func(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit, from, to int) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			for _, r := range b.Records[from:to] {
				if _, err := tx.Exec(ctx, `INSERT INTO applied (worker, shard, data) VALUES ('a', $1, $2)`, b.Shard, string(r.Data)); err != nil {
					return err
				}
			}
			return commit(ctx, tx, b.Records[to-1].Position)
		})
	}
	failed := false
	_, stop := start(t, s, &applier{pool: pool, worker: "a"}, func(o *shardgroup.Options) {
		long(o) // a lease that is lost on a busy machine cuts the batch otherwise
		o.Processor = func(string) shardgroup.Processor {
			return processor(func(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
				sizes = append(sizes, len(b.Records))
				if err := upTo(ctx, b, commit, 0, 1); err != nil || len(b.Records) == 1 {
					return err
				}

				// What is committed already can't be committed again, nor what is not there.
				for _, p := range []shardreader.Position{b.Records[0].Position, {Shard: "0", Sequence: "999"}} {
					if err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return commit(ctx, tx, p) }); err == nil {
						return errors.New("a commit of no record was taken")
					}
				}
				if err := upTo(ctx, b, commit, 1, 2); err != nil {
					return err
				}
				if !failed {
					failed = true
					return errors.New("it fails once, after a part")
				}
				return nil
			})
		}
	})

	eventually(t, pool, want)
	stop()
	require.Equal(t, []int{7, 3, 1, 2}, sizes, "after a failure it is tried in parts, and what is committed does not come again")
	require.Equal(t, 7, count(t, pool, `SELECT records FROM shardgroup.checkpoints`))
}

// What a batch has to park is parked with the part that it lies in.
func TestAPartParksItsOwn(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	put(s, 0, 4, "0")
	var parked []int // with each commit
	start(t, s, &applier{pool: pool, worker: "a"}, func(o *shardgroup.Options) {
		o.Processor = func(string) shardgroup.Processor {
			return processor(func(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
				for _, r := range b.Records {
					if d := string(r.Data); d == "0001" || d == "0003" {
						return shardgroup.Undecodable(r.Position, errors.New("odd"))
					}
				}
				err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return commit(ctx, tx, b.Records[0].Position) })
				parked = append(parked, count(t, pool, `SELECT count(*) FROM shardgroup.dead_records`))
				return err
			})
		}
	})
	require.Eventually(t, func() bool {
		return count(t, pool, `SELECT coalesce(sum(records), 0) FROM shardgroup.checkpoints`) == 4
	}, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, 2, count(t, pool, `SELECT count(*) FROM shardgroup.dead_records`))
	require.Equal(t, []int{0, 1}, parked)
}
