package shardgroup_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

func TestWorkersShareShardsAndHandThemOver(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
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
	require.Zero(t, count(t, pool, `SELECT count(*) FROM shardgroup.leases WHERE owner = 'a'`), "its leases are released, not left to expire")
	require.Eventually(t, func() bool { return mine(b) == 4 }, ttl, 10*time.Millisecond, "a drained worker's shards are taken before a lease could expire")
	want = append(want, put(s, 80, 40, "0", "1", "2", "3")...)
	eventually(t, pool, want)
}

func TestEachRecordOnceThroughFailures(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0", "1")
	s.Limit(3)
	want := put(s, 0, 100, "0", "1") // each attempt begins with four calls a second
	var mu sync.Mutex
	n, failed := 0, map[int]int{}
	every := func(k int, err error) error {
		mu.Lock()
		defer mu.Unlock()
		if n++; n%k == 0 {
			failed[k]++
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
	_, stop := start(t, s, a, nil)
	eventually(t, pool, want)
	stop()
	require.Len(t, failed, 3, "each failure was met")
}

func TestChildrenAfterParents(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
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

func TestReadySaysWhyNot(t *testing.T) {
	t.Parallel()
	g, err := shardgroup.New(shardgroup.Options{Client: fakestream.New("0"), Stream: "s", Pool: applierDatabase(t), Name: "g", Worker: "w", Processor: func(string) shardgroup.Processor { return nil }})
	require.NoError(t, err)
	require.EqualError(t, g.Ready(t.Context()), "shardgroup: the leases have not been seen yet")
}

func TestLatestIsResolvedOnceForTheGroup(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
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

// Stopping is no error, whatever cannot be reached meanwhile.
func TestRunReturnsNilOnceItsContextHasEnded(t *testing.T) {
	t.Parallel()
	away := fakestream.New("0")
	away.Fail(func(string) error { return fakestream.ErrRefused })
	closed, err := openPool(t.Context(), "postgres://nobody@127.0.0.1:1/none", ttl)
	require.NoError(t, err)
	closed.Close()

	for name, o := range map[string]shardgroup.Options{
		"the stream is away":   {Client: away, Pool: applierDatabase(t)},
		"the database is away": {Client: fakestream.New("0"), Pool: closed},
	} {
		o.Stream, o.Name, o.Worker, o.Log = "s", "g", "w", slog.New(slog.DiscardHandler)
		o.Processor = func(string) shardgroup.Processor { return nil }
		g, err := shardgroup.New(o)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		require.NoError(t, g.Run(ctx), name)
		cancel()
		require.Error(t, g.Ready(t.Context()), name)
	}
}

func TestMain(m *testing.M) {
	if os.Getenv(workerVar) != "" {
		os.Exit(workerMain())
	}
	goleak.VerifyTestMain(m)
}
