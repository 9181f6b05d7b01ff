package shardreader_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

func TestAllReadsChildrenAfterTheirParents(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a", "b")
		s.Limit(1)
		for i := range 10 {
			s.Put("a", "k", fmt.Appendf(nil, "a%d", i))
		}

		s.Reshard([]string{"a", "b"}, []string{"c"})
		s.Put("c", "k", []byte("c"))
		var c collect
		r := newReader(t, read(s))
		require.False(t, r.CaughtUp(), "nothing was read")
		_ = during(t, func(ctx context.Context) error { return r.All(ctx, shardreader.Horizon(), c.handle) }, func() {
			time.Sleep(time.Minute)
			require.True(t, r.CaughtUp())
		})

		require.Len(t, c.got(), 11)
		require.Equal(t, "c", c.last().Shard)
	})
}

func TestAllFromLatestSkipsTheFamilysPast(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("past"))
		s.Reshard([]string{"a"}, []string{"b", "c"})
		s.Put("b", "k", []byte("past"))
		var c collect

		_ = during(t, func(ctx context.Context) error {
			return newReader(t, read(s)).All(ctx, shardreader.Latest(), c.handle)
		}, func() {
			time.Sleep(2 * time.Second)
			s.Put("b", "k", []byte("b"))
			s.Reshard([]string{"b", "c"}, []string{"d"})
			s.Put("d", "k", []byte("d"))
			time.Sleep(40 * time.Second)
		})
		require.Equal(t, []string{"b", "d"}, c.got())
	})
}

// Sequence numbers rise over the whole stream: a position of one shard must not
// move another one past its older records.
func TestAllStartsEachShardAfterItsOwnPosition(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a", "b", "c")
		s.Put("b", "k", []byte("b1"))
		s.Put("c", "k", []byte("c1"))
		a1 := s.Put("a", "k", []byte("a1"))
		s.Put("a", "k", []byte("a2"))
		c2 := s.Put("c", "k", []byte("c2"))
		s.Put("c", "k", []byte("c3"))
		var c collect

		_ = during(t, func(ctx context.Context) error {
			return newReader(t, read(s)).All(ctx, shardreader.After(
				shardreader.Position{Shard: "a", Sequence: a1},
				shardreader.Position{Shard: "b"}, // nothing of it was handled
				shardreader.Position{Shard: "c", Sequence: c2},
			), c.handle)
		}, func() { time.Sleep(time.Minute) })
		require.ElementsMatch(t, []string{"a2", "b1", "c3"}, c.got())

		var one collect
		_ = during(t, func(ctx context.Context) error {
			return newReader(t, read(s)).All(ctx, shardreader.After(shardreader.Position{Shard: "a", Sequence: a1}), one.handle)
		}, func() { time.Sleep(time.Minute) })
		require.ElementsMatch(t, []string{"a2", "b1", "c1", "c2", "c3"}, one.got(), "the others from their oldest record")
	})
}

// A reader that saves every batch's Next resumes in the middle of a family: the
// parent is not read again, the children go on.
func TestAllResumesAfterResharding(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("a1"))
		s.Reshard([]string{"a"}, []string{"b", "c"})
		s.Put("b", "k", []byte("b1"))
		var before, after collect
		resumed := func(c *collect) []shardreader.Position {
			var saved []shardreader.Position
			for _, b := range c.batches {
				saved = append(saved, b.Next) // of one shard, the last counts
			}
			return saved
		}

		_ = during(t, func(ctx context.Context) error {
			return newReader(t, read(s)).All(ctx, shardreader.After(), before.handle)
		}, func() { time.Sleep(time.Minute) })
		s.Put("b", "k", []byte("b2"))
		s.Put("c", "k", []byte("c1"))
		_ = during(t, func(ctx context.Context) error {
			return newReader(t, read(s)).All(ctx, shardreader.After(resumed(&before)...), after.handle)
		}, func() { time.Sleep(time.Minute) })

		require.Equal(t, []string{"a1", "b1"}, before.got())
		require.ElementsMatch(t, []string{"b2", "c1"}, after.got())
	})
}

func TestAPositionWithoutItsShardIsRefused(t *testing.T) {
	r := newReader(t, polling(fakestream.New("a")))
	start := shardreader.After(shardreader.Position{Sequence: "1"})
	require.ErrorIs(t, r.All(t.Context(), start, nil), shardreader.ErrNoShard)
	require.ErrorIs(t, r.Shard(t.Context(), "a", start, nil), shardreader.ErrNoShard)
}
