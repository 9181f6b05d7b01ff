package shardgroup_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

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

// put puts numbered records on the shards in turn and returns their data.
func put(s *fakestream.Stream, from, n int, shards ...string) []string {
	var out []string
	for i := from; i < from+n; i++ {
		d := fmt.Sprintf("%04d", i)
		s.Put(shards[i%len(shards)], "k", []byte(d))
		out = append(out, d)
	}
	return out
}

// applied returns the data of what was applied.
func applied(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	rows, err := pool.Query(context.Background(), `SELECT data FROM applied ORDER BY data`)
	require.NoError(t, err)
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return out
}

// eventually waits until as much is applied as wanted, and requires that it is that.
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
