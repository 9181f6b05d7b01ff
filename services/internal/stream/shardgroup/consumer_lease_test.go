package shardgroup_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// consumers is a stream's list of consumers, to be changed.
type consumers struct {
	mu  sync.Mutex
	all []shardreader.Consumer
}

func (c *consumers) set(names ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = []shardreader.Consumer{{Name: "other-1", ARN: "other-1", Active: true}, {Name: "map-0", ARN: "map-0"}}
	for _, n := range names {
		c.all = append(c.all, shardreader.Consumer{Name: n, ARN: "arn:" + n, Active: true})
	}
}

func (c *consumers) list(context.Context) ([]shardreader.Consumer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all, nil
}

// replica runs a ConsumerLease until the test ends or the returned function is called.
func replica(t *testing.T, dbURL, worker string, list func(context.Context) ([]shardreader.Consumer, error)) (*shardgroup.ConsumerLease, func()) {
	t.Helper()
	l, err := shardgroup.NewConsumerLease(shardgroup.ConsumerLeaseOptions{
		Open: func(ctx context.Context) (*pgxpool.Pool, error) {
			return openPool(ctx, dbURL, ttl)
		},
		List: list, Prefix: "map-", Worker: worker, Lease: ttl, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(stop)
	return l, stop
}

func held(l *shardgroup.ConsumerLease) string {
	consumer, _ := l.Held()
	return consumer
}

func soon(t *testing.T, ok func() bool, why string) {
	t.Helper()
	require.Eventually(t, ok, 20*time.Second, 10*time.Millisecond, why)
}

func TestReplicasHoldOneConsumerEach(t *testing.T) {
	t.Parallel()
	url, _ := testDatabase(t)
	var c consumers
	c.set()
	a, stopA := replica(t, url, "a", c.list)
	soon(t, func() bool {
		_, why := a.Held()
		return why != nil && why.Error() == "no consumer called map-… is registered and active"
	}, "none is registered")
	require.Empty(t, held(a))

	c.set("map-1", "map-2")
	soon(t, func() bool { return held(a) == "map-1" }, "it is registered now")
	b, _ := replica(t, url, "b", c.list)
	soon(t, func() bool { return held(b) == "map-2" }, "the other consumer")
	d, _ := replica(t, url, "d", c.list)
	soon(t, func() bool {
		_, why := d.Held()
		return why != nil && why.Error() == "all 2 consumers called map-… are in use"
	}, "none is free")

	ctx, arn := a.Consumer()
	require.Equal(t, "arn:map-1", arn)
	stopA()
	require.Error(t, ctx.Err(), "what was given ends")
	soon(t, func() bool { return held(d) == "map-1" }, "it was given back")

	c.set("map-2")
	soon(t, func() bool { return held(d) == "" }, "the consumer was deleted")
	require.Equal(t, "map-2", held(b))
	c.set()
	soon(t, func() bool { return held(b) == "" }, "all were")
}

// Kinesis lists the consumers, and Postgres has the leases: while Kinesis is away,
// the consumer that is held is kept.
func TestAListThatFailsEndsNothing(t *testing.T) {
	t.Parallel()
	url, _ := testDatabase(t)
	var c consumers
	c.set("map-1")
	var away atomic.Bool
	var failed atomic.Int64
	a, _ := replica(t, url, "a", func(ctx context.Context) ([]shardreader.Consumer, error) {
		if away.Load() {
			failed.Add(1)
			return nil, errors.New("away")
		}
		return c.list(ctx)
	})
	soon(t, func() bool { return held(a) == "map-1" }, "held")
	ctx, _ := a.Consumer()

	away.Store(true)
	soon(t, func() bool { return failed.Load() >= 7 }, "more than two lease times pass")
	require.NoError(t, ctx.Err(), "it was held all along")
	require.Equal(t, "map-1", held(a))
}

func TestALostLeaseEndsTheConsumer(t *testing.T) {
	t.Parallel()
	url, pool := testDatabase(t)
	var c consumers
	c.set("map-1")
	a, _ := replica(t, url, "a", c.list)
	soon(t, func() bool { return held(a) != "" }, "held")
	ctx, _ := a.Consumer()

	_, err := pool.Exec(t.Context(), `UPDATE shardgroup.consumer_leases SET owner = 'x', expires_at = clock_timestamp() + interval '3 s'`)
	require.NoError(t, err)

	<-ctx.Done()
	require.Empty(t, held(a))
	soon(t, func() bool { return held(a) != "" }, "x is gone and its lease has expired")
}

func TestADatabaseThatIsAwayEndsTheConsumerInTime(t *testing.T) {
	t.Parallel()
	url, pool := testDatabase(t)
	var c consumers
	c.set("map-1")
	a, _ := replica(t, url, "a", c.list)
	soon(t, func() bool { return held(a) != "" }, "held")
	ctx, _ := a.Consumer()

	// Nothing can be read or written, and no error comes: the network is cut.
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `LOCK shardgroup.consumer_leases IN ACCESS EXCLUSIVE MODE`)
	require.NoError(t, err)
	soon(t, func() bool { return ctx.Err() != nil }, "the trust runs out")
	var left time.Duration
	require.NoError(t, tx.QueryRow(t.Context(), `SELECT max(expires_at) - clock_timestamp() FROM shardgroup.consumer_leases`).Scan(&left))
	require.Positive(t, left, "the process stopped before the lease expired")
	require.NoError(t, tx.Rollback(t.Context()))
	soon(t, func() bool { return held(a) != "" }, "again")
}

// Replicas that stall at random, as frozen processes do, never trust one
// consumer at the same time.
func TestNeverTwoWithOneConsumer(t *testing.T) {
	t.Parallel()
	url, _ := testDatabase(t)
	var c consumers
	c.set("map-1", "map-2")
	var stalls atomic.Int64
	stalling := func(ctx context.Context) ([]shardreader.Consumer, error) {
		if rand.IntN(3) == 0 {
			stalls.Add(1)
			time.Sleep(time.Duration(rand.Int64N(int64(2 * ttl)))) // whatever ctx says: frozen
		}
		return c.list(ctx)
	}
	leases := make([]*shardgroup.ConsumerLease, 4)
	for i := range leases {
		leases[i], _ = replica(t, url, string(rune('a'+i)), stalling)
	}

	owner, changes := map[string]int{}, 0
	for began := time.Now(); time.Since(began) < 8*ttl || changes < 4 && time.Since(began) < time.Minute; time.Sleep(time.Millisecond) {
		now := map[string]int{}
		for i, l := range leases {
			ctx, arn := l.Consumer()
			if arn == "" {
				continue
			}
			if j, both := now[arn]; both {
				before, _ := leases[j].Consumer()
				require.True(t, before == nil || ctx.Err() != nil, "%s is held by %d and %d", arn, j, i)
			}
			now[arn] = i
			if was, known := owner[arn]; !known || was != i {
				owner[arn] = i
				changes++
			}
		}
	}
	require.GreaterOrEqual(t, changes, 4, "after %d stalls", stalls.Load())
}

// The database is away for a moment, just as a replica stops.
func TestAStoppedReplicaHoldsNoConsumer(t *testing.T) {
	t.Parallel()
	url, pool := testDatabase(t)
	var c consumers
	c.set("map-1")
	var away atomic.Bool
	var refused atomic.Int64
	l, err := shardgroup.NewConsumerLease(shardgroup.ConsumerLeaseOptions{
		Open: func(ctx context.Context) (*pgxpool.Pool, error) {
			cfg, err := pgxpool.ParseConfig(url)
			if err != nil {
				return nil, err
			}
			cfg.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) {
				if away.Load() {
					refused.Add(1)
					return true, errors.New("the database is away")
				}
				return true, nil
			}
			return pgxpool.NewWithConfig(ctx, cfg)
		},
		List: c.list, Prefix: "map-", Worker: "a", Lease: 10 * time.Minute, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	soon(t, func() bool { return held(l) == "map-1" }, "held")

	away.Store(true)
	cancel()
	soon(t, func() bool { return refused.Load() > 0 }, "it was tried")
	away.Store(false)
	require.NoError(t, <-ended)
	require.Zero(t, count(t, pool, `SELECT count(*) FROM shardgroup.consumer_leases`))
}

func TestAConsumerLeaseWithoutADatabase(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	l, err := shardgroup.NewConsumerLease(shardgroup.ConsumerLeaseOptions{
		Open: func(context.Context) (*pgxpool.Pool, error) { return nil, away }, List: (&consumers{}).list,
		Prefix: "map-", Worker: "a", Lease: ttl, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()

	soon(t, func() bool { _, why := l.Held(); return errors.Is(why, away) }, "it says why")
	_, arn := l.Consumer()
	require.Empty(t, arn)
	cancel()
	require.NoError(t, <-ended)
}
