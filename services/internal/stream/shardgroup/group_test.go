package shardgroup_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
	"tandem/services/test/testenv"
)

func database(t *testing.T) *pgxpool.Pool {
	t.Helper()
	_, pool := testenv.Database(t, postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})
	// No key: what is applied twice is seen twice.
	_, err := pool.Exec(context.Background(), `CREATE TABLE applied (id bigserial, worker text, shard text, data text)`)
	require.NoError(t, err)
	return pool
}

// applier writes each record's data as a row. before and after see each batch's
// transaction around its commit.
type applier struct {
	pool   *pgxpool.Pool
	worker string
	before func(ctx context.Context, b shardreader.Batch) error
	after  func(b shardreader.Batch) error
}

func (a *applier) Process(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
	err := pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		for _, r := range b.Records {
			if _, err := tx.Exec(ctx, `INSERT INTO applied (worker, shard, data) VALUES ($1, $2, $3)`, a.worker, b.Shard, string(r.Data)); err != nil {
				return err
			}
		}
		if a.before != nil {
			if err := a.before(ctx, b); err != nil {
				return err
			}
		}
		return commit(ctx, tx)
	})
	if err == nil && a.after != nil {
		err = a.after(b)
	}
	return err
}

const ttl = 800 * time.Millisecond

// start runs a worker until the test ends or the returned function is called.
func start(t *testing.T, s *fakestream.Stream, a *applier, change func(*shardgroup.Options)) (*shardgroup.Group, func()) {
	t.Helper()
	o := shardgroup.Options{
		Client: s, Stream: "s", Pool: a.pool, Name: "test", Worker: a.worker, Lease: ttl, PollEvery: 20 * time.Millisecond,
		Backoff: 100 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Processor: func(string) shardgroup.Processor { return a },
	}
	if change != nil {
		change(&o)
	}
	g, err := shardgroup.New(o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(stop)
	return g, stop
}

func put(s *fakestream.Stream, from, n int, shards ...string) []string {
	var out []string
	for i := from; i < from+n; i++ {
		d := fmt.Sprintf("%04d", i)
		s.Put(shards[i%len(shards)], "k", []byte(d))
		out = append(out, d)
	}
	return out
}

func applied(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	rows, err := pool.Query(context.Background(), `SELECT data FROM applied ORDER BY data`)
	require.NoError(t, err)
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return out
}

func eventually(t *testing.T, pool *pgxpool.Pool, want []string) {
	t.Helper()
	require.Eventually(t, func() bool { return len(applied(t, pool)) >= len(want) }, 20*time.Second, 20*time.Millisecond)
	require.Equal(t, want, applied(t, pool))
}

func count(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, pool.QueryRow(context.Background(), sql, args...).Scan(&n))
	return n
}

func TestWorkersShareShardsAndHandThemOver(t *testing.T) {
	t.Parallel()
	pool := database(t)
	s := fakestream.New("0", "1", "2", "3")
	want := put(s, 0, 40, "0", "1", "2", "3")
	a, stopA := start(t, s, &applier{pool: pool, worker: "a"}, nil)
	eventually(t, pool, want)
	require.NoError(t, a.Ready(context.Background()))

	b, _ := start(t, s, &applier{pool: pool, worker: "b"}, nil)
	mine := func(g *shardgroup.Group) (n int) {
		st := g.Status()
		for _, sh := range st.Shards {
			if sh.Worker == st.Worker {
				n++
			}
		}
		return n
	}
	require.Eventually(t, func() bool { return mine(a) == 2 && mine(b) == 2 }, 10*time.Second, 20*time.Millisecond)
	want = append(want, put(s, 40, 40, "0", "1", "2", "3")...)
	eventually(t, pool, want)

	stopA()
	require.Eventually(t, func() bool { return mine(b) == 4 }, ttl, 10*time.Millisecond, "a drained worker's shards are taken before a lease could expire")
	want = append(want, put(s, 80, 40, "0", "1", "2", "3")...)
	eventually(t, pool, want)
}

func TestEachRecordOnceThroughFailures(t *testing.T) {
	t.Parallel()
	pool := database(t)
	s := fakestream.New("0", "1")
	s.Limit(3)
	want := put(s, 0, 200, "0", "1")
	var mu sync.Mutex
	n := 0
	every := func(k int, err error) error {
		mu.Lock()
		defer mu.Unlock()
		if n++; n%k == 0 {
			return err
		}
		return nil
	}
	a := &applier{pool: pool, worker: "a"}
	a.before = func(context.Context, shardreader.Batch) error {
		return every(5, errors.New("failed before the commit"))
	}
	a.after = func(shardreader.Batch) error { return every(7, errors.New("the commit's answer was lost")) }
	s.Fail(func(op string) error {
		if op == "GetRecords" {
			return every(11, fakestream.ErrRefused)
		}
		return nil
	})
	start(t, s, a, nil)
	eventually(t, pool, want)
}

// A worker that neither renews nor notices: its transaction is open, its rows
// written, when another takes over.
func TestAFrozenOwnerWritesNothing(t *testing.T) {
	t.Parallel()
	pool := database(t)
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

func TestChildrenAfterParents(t *testing.T) {
	t.Parallel()
	pool := database(t)
	s := fakestream.New("0", "1")
	s.Limit(2)
	want := put(s, 0, 30, "0", "1")
	s.Reshard([]string{"0", "1"}, []string{"2"})
	want = append(want, put(s, 30, 10, "2")...)
	start(t, s, &applier{pool: pool, worker: "a"}, nil)
	start(t, s, &applier{pool: pool, worker: "b"}, nil)
	eventually(t, pool, want)
	require.Zero(t, count(t, pool, `SELECT count(*) FROM applied c, applied p WHERE c.shard = '2' AND p.shard <> '2' AND c.id < p.id`))
}

func TestStreamMadeAnewLeavesAGapForEachShard(t *testing.T) {
	t.Parallel()
	pool := database(t)
	s := fakestream.New("0", "1")
	want := put(s, 0, 4, "0", "1")
	start(t, s, &applier{pool: pool, worker: "a"}, nil)
	eventually(t, pool, want)
	s.Recreate("0", "1")
	want = append(want, put(s, 4, 4, "0", "1")...)
	eventually(t, pool, want)
	require.Equal(t, 2, count(t, pool, `SELECT count(*) FROM shardgroup.gaps WHERE reason = 'stream_made_anew' AND from_at <= to_at`))
}

func TestCheckpointOlderThanTheStreamKeepsLeavesAGap(t *testing.T) {
	t.Parallel()
	pool := database(t)
	s := fakestream.New("0")
	put(s, 0, 3, "0")
	fail := errors.New("not the third")
	_, stop := start(t, s, &applier{pool: pool, worker: "a", before: func(_ context.Context, b shardreader.Batch) error {
		if string(b.Records[0].Data) == "0002" {
			return fail
		}
		return nil
	}}, nil)
	eventually(t, pool, []string{"0000", "0001", "0002"})
	stop()
	put(s, 3, 2, "0")
	s.Trim("0", 4)
	// As if it had never been at the tip: applied record and tip are one.
	_, err := pool.Exec(context.Background(), `UPDATE shardgroup.checkpoints SET tip_at = NULL`)
	require.NoError(t, err)
	start(t, s, &applier{pool: pool, worker: "b"}, nil)
	eventually(t, pool, []string{"0000", "0001", "0002", "0004"})
	require.Equal(t, 1, count(t, pool, `SELECT count(*) FROM shardgroup.gaps WHERE reason = 'trimmed'`))
}

func TestUndecodableIsParkedAtOnceAndPoisonByPolicy(t *testing.T) {
	t.Parallel()
	pool := database(t)
	s := fakestream.New("0")
	want := put(s, 0, 5, "0")
	var mu sync.Mutex
	tries := 0
	a := &applier{pool: pool, worker: "a", before: func(_ context.Context, b shardreader.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		var errs []error
		for _, r := range b.Records {
			switch string(r.Data) {
			case "0001":
				errs = append(errs, shardgroup.Undecodable(r.Position, errors.New("no point")))
			case "0003":
				tries++
				errs = append(errs, &shardgroup.RecordError{Position: r.Position, Err: errors.New("poison")})
			}
		}
		return errors.Join(errs...)
	}}
	stopping, stop := start(t, s, a, nil)
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return tries > 3 }, 10*time.Second, 10*time.Millisecond)
	require.Empty(t, applied(t, pool), "the shard stands still")
	require.ErrorContains(t, stopping.Status().Shards[0].Err, "poison")
	stop()

	a.worker = "b"
	g, _ := start(t, s, a, func(o *shardgroup.Options) { o.Poison, o.MaxTries = shardgroup.Park, 3 })
	eventually(t, pool, []string{want[0], want[2], want[4]})
	require.Equal(t, 2, count(t, pool, `SELECT count(*) FROM shardgroup.dead_records WHERE reason LIKE '%no point%' OR reason LIKE '%poison%'`))
	require.EqualValues(t, 5, g.Status().Records)
}

func TestReadySaysWhyNot(t *testing.T) {
	t.Parallel()
	g, err := shardgroup.New(shardgroup.Options{Client: fakestream.New("0"), Stream: "s", Pool: database(t), Name: "g", Worker: "w", Processor: func(string) shardgroup.Processor { return nil }})
	require.NoError(t, err)
	require.EqualError(t, g.Ready(t.Context()), "shardgroup: the leases have not been seen yet")
}

func TestLatestIsResolvedOnceForTheGroup(t *testing.T) {
	t.Parallel()
	pool := database(t)
	s := fakestream.New("0")
	s.PutAt(time.Now().Add(-time.Minute), "0", "k", []byte("past"))
	latest := func(o *shardgroup.Options) { o.Latest = true }
	g, stop := start(t, s, &applier{pool: pool, worker: "a"}, latest)
	require.Eventually(t, func() bool { return g.Ready(context.Background()) == nil }, 10*time.Second, 10*time.Millisecond)
	stop()
	s.PutAt(time.Now().Add(time.Millisecond), "0", "k", []byte("while away"))
	start(t, s, &applier{pool: pool, worker: "b"}, latest)
	eventually(t, pool, []string{"while away"})
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := shardgroup.New(shardgroup.Options{})
	require.True(t, err != nil && strings.Contains(err.Error(), "needed"))
}

func TestMain(m *testing.M) {
	if os.Getenv(workerVar) != "" {
		os.Exit(workerMain())
	}
	goleak.VerifyTestMain(m)
}
