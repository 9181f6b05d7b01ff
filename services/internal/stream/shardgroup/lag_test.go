package shardgroup_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// behind returns what a worker says of its only shard.
func behind(g *shardgroup.Group) time.Duration {
	st := g.Status()
	if len(st.Shards) != 1 || !st.Shards[0].Known {
		return -1
	}
	return st.Shards[0].Behind
}

func TestLagClimbsWhileAShardIsStuck(t *testing.T) {
	t.Parallel()
	for name, block := range map[string]bool{"a record is refused": false, "a transaction does not end": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := applierDatabase(t)
			s := fakestream.New("0")
			var stuck atomic.Bool
			thaw := make(chan struct{})
			g, _ := start(t, s, &applier{pool: pool, worker: "a", before: func(ctx context.Context, _ shardreader.Batch) error {
				if !stuck.Load() {
					return nil
				}
				if block {
					<-thaw
				}
				return errors.New("no")
			}}, func(o *shardgroup.Options) { o.Lease = 10 * time.Second })
			t.Cleanup(func() { close(thaw) })
			eventually(t, pool, put(s, 0, 1, "0"))
			require.Eventually(t, func() bool { return behind(g) == 0 }, 10*time.Second, 10*time.Millisecond, "at the tip")

			stuck.Store(true)
			s.Put("0", "k", []byte("0001"))
			began := time.Now()
			require.Eventually(t, func() bool { return behind(g) > 2*time.Second }, 10*time.Second, 10*time.Millisecond)
			first := behind(g)
			require.Eventually(t, func() bool { return behind(g) > first+time.Second }, 10*time.Second, 10*time.Millisecond, "it climbs")
			require.Less(t, behind(g), time.Since(began)+2*time.Second, "and says no more than is true")
		})
	}
}
