package shardgroup_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// Variables of a worker process: this test's binary, started again.
const (
	workerVar   = "SHARDGROUP_TEST_WORKER"
	databaseVar = "SHARDGROUP_TEST_DATABASE"
	createdVar  = "SHARDGROUP_TEST_STREAM_CREATED"
)

const chaosRecords = 400

// chaosStream is the same stream in every process.
func chaosStream(created time.Time) *fakestream.Stream {
	s := fakestream.New("0", "1", "2", "3")
	s.SetCreated(created)
	s.Limit(4)
	for i := range chaosRecords {
		s.PutAt(created.Add(time.Duration(i)*time.Second), fmt.Sprint(i%4), "k", fmt.Appendf(nil, "%04d", i))
	}
	return s
}

// workerMain is a worker process: it lingers in each transaction, so that it
// is often stopped inside of one.
func workerMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	pool, err := openPool(ctx, os.Getenv(databaseVar), ttl)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer pool.Close()

	a := &applier{pool: pool, worker: fmt.Sprint(os.Getenv(workerVar), "-", os.Getpid())}
	a.before = func(ctx context.Context, _ shardreader.Batch) error {
		select {
		case <-ctx.Done():
		case <-time.After(60 * time.Millisecond):
		}
		return nil
	}

	created, err := time.Parse(time.RFC3339, os.Getenv(createdVar))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	g, err := shardgroup.New(shardgroup.Options{
		Client: chaosStream(created), Stream: "s", Pool: pool, Name: "chaos", Worker: a.worker, Lease: ttl, Backoff: 200 * time.Millisecond,
		Log:       slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Processor: func(string) shardgroup.Processor { return a },
	})
	if err != nil || g.Run(ctx) != nil {
		return 1
	}
	return 0
}

// Workers are killed and frozen for longer than their leases, inside and
// outside of transactions: every record is applied once, in order.
func TestOnceThroughKilledAndFrozenProcesses(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	created := time.Now().Add(-time.Hour).Format(time.RFC3339)
	worker := func(name string) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), workerVar+"="+name, databaseVar+"="+pool.Config().ConnString(), createdVar+"="+created)
		require.NoError(t, cmd.Start())
		return cmd
	}
	workers := []*exec.Cmd{worker("a"), worker("b"), worker("c")}
	done := func() bool {
		return count(t, pool, `SELECT coalesce(sum(records), 0)::int FROM shardgroup.checkpoints`) >= chaosRecords
	}

	deadline, rounds := time.Now().Add(90*time.Second), 0
	for ; !done() && time.Now().Before(deadline); rounds++ {
		i := rand.IntN(len(workers))
		pause := time.Duration(200+rand.IntN(600)) * time.Millisecond
		if rounds%2 == 0 {
			require.NoError(t, workers[i].Process.Signal(syscall.SIGSTOP))
			time.Sleep(ttl + pause)
			require.NoError(t, workers[i].Process.Signal(syscall.SIGCONT))
			continue
		}
		require.NoError(t, workers[i].Process.Kill())
		_ = workers[i].Wait()
		workers[i] = worker("again")
		time.Sleep(pause)
	}

	var pids []string
	for _, w := range workers {
		pids = append(pids, fmt.Sprint(w.Process.Pid))
		require.NoError(t, w.Process.Signal(syscall.SIGTERM))
		require.NoError(t, w.Wait(), "stopped cleanly")
	}

	require.True(t, done(), "all applied after %d rounds", rounds)
	require.Greater(t, rounds, 3)
	require.Equal(t, chaosRecords, count(t, pool, `SELECT count(*) FROM applied`))
	require.Equal(t, chaosRecords, count(t, pool, `SELECT count(DISTINCT data) FROM applied`))
	require.Zero(t, count(t, pool, `SELECT count(*) FROM (SELECT data < lag(data) OVER (PARTITION BY shard ORDER BY id) AS bad FROM applied) x WHERE bad`), "out of order")
	require.Zero(t, count(t, pool, `SELECT count(*) FROM shardgroup.gaps`))
	require.Zero(t, count(t, pool, `SELECT count(*) FROM shardgroup.leases WHERE split_part(owner, '-', 2) = ANY($1)`, pids), "stopped workers released their leases")
}
