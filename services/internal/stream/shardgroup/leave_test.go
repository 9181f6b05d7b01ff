package shardgroup_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// A worker whose lease ran out while the database was away, and whose release
// failed with it, still leaves nothing in its name when it stops.
func TestAStoppedWorkerOwnsNoLease(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	want := put(s, 0, 3, "0")

	var away atomic.Bool
	cfg := pool.Config()
	cfg.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) {
		if away.Load() {
			return true, errors.New("the database is away")
		}
		return true, nil
	}
	own, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(own.Close)

	var mu sync.Mutex
	var log bytes.Buffer
	logged := func(text string) bool {
		mu.Lock()
		defer mu.Unlock()
		return strings.Contains(log.String(), text)
	}
	_, stop := start(t, s, &applier{pool: own, worker: "a"}, func(o *shardgroup.Options) {
		o.Log = slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, nil))
	})
	eventually(t, pool, want)

	away.Store(true)
	require.Eventually(t, func() bool { return logged("releasing a lease fails") }, 30*time.Second, 10*time.Millisecond)
	require.Equal(t, 1, count(t, pool, `SELECT count(*) FROM shardgroup.leases WHERE owner = 'a'`))

	// The database is back in the moment in which the worker is told to stop.
	away.Store(false)
	stop()
	require.Zero(t, count(t, pool, `SELECT count(*) FROM shardgroup.leases WHERE owner IS NOT NULL`))
	require.Zero(t, count(t, pool, `SELECT count(*) FROM shardgroup.workers`))
}
