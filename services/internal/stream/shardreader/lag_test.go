package shardreader_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

func TestCaughtUpOnlyWithTheChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("1"))
		s.Reshard([]string{"a"}, []string{"b"})
		s.Put("b", "k", []byte("2"))
		lists := 0
		s.Fail(func(op string) error {
			if op == "ListShards" {
				if lists++; lists > 1 && lists < 8 {
					return fakestream.Throttled()
				}
			}
			return nil
		})
		var c collect
		r := newReader(t, polling(s))
		require.NoError(t, during(t, func(ctx context.Context) error { return r.All(ctx, shardreader.Horizon(), c.handle) }, func() {
			for range 600 {
				time.Sleep(100 * time.Millisecond)
				if r.CaughtUp() {
					require.Equal(t, []string{"1", "2"}, c.got())
					return
				}
			}
			require.Fail(t, "it never caught up")
		}))
	})
}

// The last answer said "at the tip". Then nothing is answered any more, or the
// handler does not return.
func TestLagClimbsWhileNothingIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("1"))
		block := make(chan struct{})
		var blocks atomic.Bool
		r := newReader(t, polling(s))
		lag := func() time.Duration { return r.State()[0].Behind.Round(time.Second) }
		require.NoError(t, during(t, func(ctx context.Context) error {
			return r.All(ctx, shardreader.Horizon(), func(ctx context.Context, _ shardreader.Batch) error {
				if blocks.Load() {
					<-block
				}
				return nil
			})
		}, func() {
			time.Sleep(10 * time.Second)
			require.Zero(t, lag())

			s.Fail(func(string) error { return fakestream.ErrRefused })
			time.Sleep(time.Minute)
			require.InDelta(t, 60, lag().Seconds(), 2)
			time.Sleep(time.Minute)
			require.InDelta(t, 120, lag().Seconds(), 2)

			s.Fail(func(string) error { return nil })
			time.Sleep(10 * time.Second)
			require.Zero(t, lag())

			blocks.Store(true)
			s.Put("a", "k", []byte("2"))
			time.Sleep(time.Minute)
			require.InDelta(t, 60, lag().Seconds(), 2)
			close(block)
		}))
	})
}

func TestAClosedShardOfWhichNothingIsKeptIsTrimmed(t *testing.T) {
	for name, o := range map[string]func(*fakestream.Stream) shardreader.Options{"polling": polling, "fan-out": fanOut} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := fakestream.New("a")
				at := shardreader.Position{Shard: "a", Sequence: s.Put("a", "k", []byte("1"))}
				s.Reshard([]string{"a"}, []string{"b"})
				s.Trim("a", 1)
				var c collect
				require.NoError(t, newReader(t, o(s)).Shard(t.Context(), "a", shardreader.After(at), c.handle))
				require.Len(t, c.batches, 1)
				require.True(t, c.batches[0].Closed && c.batches[0].Trimmed)
			})
		})
	}
}
