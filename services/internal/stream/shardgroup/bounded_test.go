package shardgroup_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

func TestATransactionIsBounded(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0")
	want := put(s, 0, 10, "0")
	var most atomic.Int64
	start(t, s, &applier{pool: pool, worker: "a", before: func(_ context.Context, b shardreader.Batch) error {
		most.Store(max(most.Load(), int64(len(b.Records))))
		return nil
	}}, func(o *shardgroup.Options) { o.MaxRecords = 3 })
	eventually(t, pool, want)
	require.Equal(t, int64(3), most.Load())
}

// A consumer's ARN names that one alone.
func TestAConsumerIsLeasedByItsARN(t *testing.T) {
	t.Parallel()
	dbURL, _ := testDatabase(t)
	var all consumers
	all.set("map-1", "map-2")
	l, err := shardgroup.NewConsumerLease(shardgroup.ConsumerLeaseOptions{
		Open: func(ctx context.Context) (*pgxpool.Pool, error) { return openPool(ctx, dbURL, ttl) },
		List: all.list, Prefix: "arn:map-2", Worker: "a", Lease: ttl, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	require.Eventually(t, func() bool { name, _ := l.Held(); return name == "map-2" }, 20*time.Second, 5*time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
}
