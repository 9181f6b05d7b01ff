package shardreader_test

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// A span and the next one are each record once, also where arrival stamps fall back.
func TestSpansFollowEachOther(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		began := time.Now().Add(-time.Hour)
		at := func(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }
		for i, second := range []int{0, 1, 3, 2, 4, 3, 6} {
			s.PutAt(at(second), "a", "k", fmt.Append(nil, i))
		}

		span := func(from, to int) []string {
			var c collect
			r := newReader(t, read(s))
			require.NoError(t, r.All(t.Context(), shardreader.At(at(from)).Until(at(to)), c.handle))
			if len(c.batches) == 0 {
				require.Empty(t, r.State()[0].Sequence, "the position stays before the end")
			}
			return c.got()
		}
		require.Equal(t, []string{"0", "1"}, span(0, 3))
		require.Equal(t, []string{"2", "3", "4", "5"}, span(3, 6))
		require.Equal(t, []string{"6"}, span(6, 100), "to the tip")
		require.Equal(t, []string{}, span(2, 2))
		require.Equal(t, []string{}, span(50, 100), "nothing arrived then")
	})
}

// A time that is to come: the reader waits for it, and a while for what was stamped by
// another clock.
func TestUntilATimeToCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("0"))
		began := time.Now()
		end := began.Add(time.Minute)
		go func() {
			time.Sleep(62 * time.Second)
			s.PutAt(end.Add(-time.Millisecond), "a", "k", []byte("late"))
			s.PutAt(end, "a", "k", []byte("past"))
		}()

		var c collect
		r := newReader(t, polling(s))
		require.NoError(t, r.All(t.Context(), shardreader.Horizon().Until(end), c.handle))
		require.Equal(t, []string{"0", "late"}, c.got())
		require.GreaterOrEqual(t, time.Since(began), time.Minute)
		require.True(t, r.CaughtUp())
		require.True(t, r.State()[0].Ended)
		require.False(t, r.State()[0].Closed)
		time.Sleep(time.Hour)
		require.Less(t, r.State()[0].Behind, time.Minute, "whoever has ended falls behind no more")
	})
}

// An end inside an aggregate, of several shards, of a parent and its child; and a shard
// without one is not read.
func TestThroughPositions(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a", "b", "none")
		inside := s.Put("a", "k", aggregate(t, 0, 5))
		s.Put("b", "k", []byte("b1"))
		last := s.Put("b", "k", []byte("b2"))
		s.Put("none", "k", []byte("none"))
		s.Reshard([]string{"b"}, []string{"c"})
		child := s.Put("c", "k", []byte("c1"))
		s.Put("c", "k", []byte("c2"))

		var c collect
		r := newReader(t, read(s))
		end := []shardreader.Position{{Shard: "a", Sequence: inside, Sub: 2}, {Shard: "b", Sequence: last}, {Shard: "c", Sequence: child}}
		require.NoError(t, r.All(t.Context(), shardreader.Horizon().Through(end...), c.handle))
		require.ElementsMatch(t, []string{"0", "1", "2", "b1", "b2", "c1"}, c.got())
		for _, b := range c.batches {
			if b.Shard == "a" {
				require.Equal(t, end[0], b.Next)
			}
		}

		var one collect
		require.NoError(t, r.Shard(t.Context(), "a", shardreader.After(shardreader.Position{Shard: "a", Sequence: inside, Sub: 1}).Through(end...), one.handle))
		require.Equal(t, []string{"2"}, one.got())
		require.NoError(t, r.Shard(t.Context(), "a", shardreader.After(end...).Through(end...), one.handle))
		require.Equal(t, []string{"2"}, one.got(), "nothing is left")
		asked := s.Calls("GetShardIterator") + s.Calls("SubscribeToShard")
		require.NoError(t, r.All(t.Context(), shardreader.Horizon().Through(), one.handle))
		require.Equal(t, asked, s.Calls("GetShardIterator")+s.Calls("SubscribeToShard"), "a shard without an end is not read")
		require.Equal(t, []string{"2"}, one.got(), "nothing is asked for")
	})
}

// A record that was the end and is trimmed does not make a reader wait for ever.
func TestThroughARecordThatIsNoLongerKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		end := shardreader.Position{Shard: "a", Sequence: s.Put("a", "k", []byte("1"))}
		s.Trim("a", 1)
		var c collect
		require.NoError(t, newReader(t, polling(s)).All(t.Context(), shardreader.Horizon().Through(end), c.handle))
		require.Empty(t, c.got())

		s.Put("a", "k", []byte("2"))
		require.NoError(t, newReader(t, polling(s)).All(t.Context(), shardreader.Horizon().Through(end), c.handle))
		require.Empty(t, c.got())
	})
}

// The children of a shard that was split within the span belong to it.
func TestUntilReadsTheChildren(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("1"))
		s.Reshard([]string{"a"}, []string{"b", "c"})
		s.Put("b", "k", []byte("2"))
		time.Sleep(time.Minute)
		end := time.Now()
		s.Put("c", "k", []byte("past"))
		s.Reshard([]string{"b", "c"}, []string{"d"})
		s.Put("d", "k", []byte("past"))
		time.Sleep(time.Minute)

		var c collect
		require.NoError(t, newReader(t, read(s)).All(t.Context(), shardreader.Horizon().Until(end), c.handle))
		require.Equal(t, []string{"1", "2"}, c.got())
	})
}

// What is cut off at the end follows: such a batch is not at the tip.
func TestACutBatchIsNotAtTheTip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("1"))
		time.Sleep(time.Minute)
		end := time.Now()
		s.Put("a", "k", []byte("past"))
		time.Sleep(time.Hour)

		var behind time.Duration
		require.NoError(t, newReader(t, polling(s)).Shard(t.Context(), "a", shardreader.Horizon().Until(end), func(_ context.Context, b shardreader.Batch) error {
			behind = b.Behind
			return nil
		}))
		require.Positive(t, behind)
	})
}

func TestAnEndThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	now := time.Now()
	r := newReader(t, polling(fakestream.New("a")))
	for want, start := range map[string]shardreader.Start{
		"zero time":               shardreader.Horizon().Until(time.Time{}),
		"before the time of At":   shardreader.At(now).Until(now.Add(-1)),
		"does not say of which s": shardreader.Horizon().Through(shardreader.Position{Sequence: "1"}),
	} {
		require.ErrorContains(t, r.All(t.Context(), start, nil), want)
		require.ErrorContains(t, r.Shard(t.Context(), "a", start, nil), want)
	}
}

// A child of a stream that is read from its tip is read from its beginning, and to the end.
func TestUntilReadsTheChildrenOfTheTip(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("before"))
		end := time.Now().Add(time.Minute)
		go func() {
			time.Sleep(time.Second)
			s.Put("a", "k", []byte("1"))
			s.Reshard([]string{"a"}, []string{"b"})
			s.Put("b", "k", []byte("2"))
			time.Sleep(2 * time.Minute)
			s.Put("b", "k", []byte("past"))
		}()

		var c collect
		require.NoError(t, newReader(t, read(s)).All(t.Context(), shardreader.Latest().Until(end), c.handle))
		time.Sleep(3 * time.Minute)
		require.Equal(t, []string{"1", "2"}, c.got())
	})
}

func TestABatchIsBounded(t *testing.T) {
	t.Run("two records an answer", func(t *testing.T) { testABatchIsBounded(t, 2) })
	t.Run("one record an answer", func(t *testing.T) { testABatchIsBounded(t, 1) })
}

func testABatchIsBounded(t *testing.T, perAnswer int) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Limit(perAnswer)
		s.Put("a", "k", aggregate(t, 0, 5))
		s.Put("a", "k", aggregate(t, 5, 2))
		s.Reshard([]string{"a"}, []string{"b"})
		o := read(s)
		o.MaxRecords = 3

		var c collect
		require.NoError(t, newReader(t, o).Shard(t.Context(), "a", shardreader.Horizon(), c.handle))
		require.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6"}, c.got())
		require.Len(t, c.batches, 3)
		for i, b := range c.batches {
			require.LessOrEqual(t, len(b.Records), 3)
			require.Equal(t, b.Records[len(b.Records)-1].Position, b.Next)
			require.Equal(t, i == 2, b.Closed)
			require.Equal(t, i == 2, b.Behind == 0, "before the last batch more is known to follow")
		}

		// Whoever stops between two batches goes on there.
		var first, rest collect
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, newReader(t, o).Shard(ctx, "a", shardreader.Horizon(), func(ctx context.Context, b shardreader.Batch) error {
			cancel()
			return first.handle(ctx, b)
		}))
		require.NoError(t, newReader(t, o).Shard(t.Context(), "a", shardreader.After(first.last().Next), rest.handle))
		require.Equal(t, []string{"0", "1", "2"}, first.got())
		require.Equal(t, []string{"3", "4", "5", "6"}, rest.got())

		// What was lost was lost before the first of them.
		s.Trim("a", 1)
		o.MaxRecords = 1
		var cut collect
		require.NoError(t, newReader(t, o).Shard(t.Context(), "a", shardreader.After(first.last().Next), cut.handle))
		require.Equal(t, []string{"5", "6"}, cut.got())
		require.True(t, cut.batches[0].Trimmed)
		require.False(t, cut.batches[1].Trimmed)
	})
}

func TestPositionsOfAShardAreOrdered(t *testing.T) {
	t.Parallel()
	rising := []shardreader.Position{{}, {Sequence: "9"}, {Sequence: "10"}, {Sequence: "10", Sub: 2}, {Sequence: "0010", Sub: 10}, {Sequence: "11"}, {Sequence: "100"}}
	for i, p := range rising {
		for j, q := range rising {
			require.Equal(t, cmp.Compare(i, j), p.Compare(q), "%v and %v", p, q)
		}
	}
}

// How many records wait is known where an answer reached the tip, and only for as long
// as it is news.
func TestLagInRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Put("a", "k", aggregate(t, 0, 5))
		s.Put("a", "k", aggregate(t, 5, 2))
		o := polling(s)
		o.MaxRecords = 3
		r := newReader(t, o)
		type lag struct {
			n       int
			counted bool
		}
		now := func() lag {
			st := r.State()[0]
			return lag{st.Waiting, st.Counted}
		}

		var mu sync.Mutex
		var all []lag
		seen := func() []lag {
			mu.Lock()
			defer mu.Unlock()
			out := all
			all = nil
			return out
		}
		require.NoError(t, during(t, func(ctx context.Context) error {
			return r.Shard(ctx, "a", shardreader.Horizon(), func(context.Context, shardreader.Batch) error {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, now())
				return nil
			})
		}, func() {
			time.Sleep(time.Second)
			require.Equal(t, []lag{{7, true}, {4, true}, {1, true}}, seen())
			require.Equal(t, lag{0, true}, now())

			s.Fail(func(string) error { return fakestream.ErrRefused })
			time.Sleep(10 * time.Second)
			require.Equal(t, lag{0, false}, now(), "nobody answers")

			s.Fail(func(string) error { return nil })
			s.Limit(1)
			s.PutAt(time.Now(), "a", "k", []byte("1"))
			s.PutAt(time.Now(), "a", "k", []byte("2"))
			time.Sleep(10 * time.Second)
			require.Equal(t, []lag{{0, false}, {1, true}}, seen(), "behind: Kinesis counts nothing")
		}))
	})
}

func TestBehindIsNotKnownBeforeAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Fail(func(string) error { return fakestream.ErrRefused })
		r := newReader(t, polling(s))
		require.NoError(t, during(t, func(ctx context.Context) error {
			return r.Shard(ctx, "a", shardreader.Horizon(), nil)
		}, func() {
			synctest.Wait()
			require.False(t, r.State()[0].Known)
			s.Fail(func(string) error { return nil })
			time.Sleep(10 * time.Second)
			require.True(t, r.State()[0].Known)
		}))
	})
}
