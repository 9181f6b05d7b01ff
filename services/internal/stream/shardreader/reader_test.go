package shardreader_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/kpl"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// collect gathers what a reader hands over.
type collect struct {
	mu      sync.Mutex
	data    []string
	batches []shardreader.Batch
}

func (c *collect) handle(_ context.Context, b shardreader.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range b.Records {
		c.data = append(c.data, string(r.Data))
	}
	c.batches = append(c.batches, b)
	return nil
}

func (c *collect) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.data...)
}

func (c *collect) last() shardreader.Batch {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.batches[len(c.batches)-1]
}

// way is a way of reading a stream: it makes the options that read so.
type way func(s *fakestream.Stream) shardreader.Options

func polling(s *fakestream.Stream) shardreader.Options {
	return shardreader.Options{Client: s, Stream: "s", Log: slog.New(slog.DiscardHandler)}
}

func fanOut(s *fakestream.Stream) shardreader.Options {
	o := polling(s)
	o.FanOut, o.Consumer = s, shardreader.Use(s.Register("c"))
	return o
}

// both runs a case by both ways of reading, in time of its own.
func both(t *testing.T, test func(t *testing.T, read way)) {
	t.Helper()
	for name, read := range map[string]way{"polling": polling, "fan-out": fanOut} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, read) })
		})
	}
}

// during runs read in a bubble of its own time until body returns.
func during(t *testing.T, read func(ctx context.Context) error, body func()) error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- read(ctx) }()
	body()
	cancel()
	return <-ended
}

func aggregate(t *testing.T, from, n int) []byte {
	t.Helper()
	a := kpl.NewAggregate("1", 1<<20)
	for i := range n {
		require.True(t, a.Add("k", fmt.Appendf(nil, "%d", from+i)))
	}
	b, err := a.Encode()
	require.NoError(t, err)
	return b
}

func TestReadsInOrderThroughFailures(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Limit(3)
		n := 0
		s.Fail(func(op string) error {
			if n++; n%5 == 0 {
				return fakestream.ErrRefused
			}
			return nil
		})
		var want []string
		put := func(n int) {
			for range n {
				want = append(want, fmt.Sprint(len(want)))
				s.Put("a", "k", []byte(want[len(want)-1]))
			}
		}
		put(20)
		var c collect
		r := shardreader.New(read(s))
		err := during(t, func(ctx context.Context) error {
			return r.Shard(ctx, "a", shardreader.Horizon(), c.handle)
		}, func() {
			for _, broken := range []error{fakestream.ErrRefused, nil, fakestream.Throttled()} {
				time.Sleep(2 * time.Second)
				s.Expire()
				s.Break(broken)
				put(10)
			}
			time.Sleep(time.Minute)
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, want, c.got())
	})
}

func TestResumesInsideAnAggregate(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		seq := s.Put("a", "k", aggregate(t, 0, 5))
		s.Put("a", "k", aggregate(t, 5, 2))
		s.Put("a", "k", []byte("plain"))
		var c collect
		_ = during(t, func(ctx context.Context) error {
			return shardreader.New(read(s)).Shard(ctx, "a", shardreader.After(shardreader.Position{Sequence: seq, Sub: 2}), c.handle)
		}, func() { time.Sleep(time.Second); synctest.Wait() })
		require.Equal(t, []string{"3", "4", "5", "6", "plain"}, c.got())
		require.False(t, c.last().Trimmed)
	})
}

func TestRecordThatCannotBeUnpackedIsHandedOverWhole(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("\xf3\x89\x9a\xc2nonsense"))
		var c collect
		_ = during(t, func(ctx context.Context) error {
			return shardreader.New(read(s)).Shard(ctx, "a", shardreader.Horizon(), c.handle)
		}, func() { time.Sleep(time.Second); synctest.Wait() })
		require.Equal(t, []string{"\xf3\x89\x9a\xc2nonsense"}, c.got())
	})
}

func TestTellsThatThePositionIsTrimmed(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		first := s.Put("a", "k", []byte("1"))
		s.Put("a", "k", []byte("2"))
		s.Put("a", "k", []byte("3"))
		s.Trim("a", 2)
		var c collect
		_ = during(t, func(ctx context.Context) error {
			return shardreader.New(read(s)).Shard(ctx, "a", shardreader.After(shardreader.Position{Sequence: first}), c.handle)
		}, func() { time.Sleep(time.Second); synctest.Wait() })
		require.Equal(t, []string{"3"}, c.got())
		require.True(t, c.last().Trimmed)
	})
}

func TestBacksOffWhenThrottledAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Fail(func(op string) error {
			if op == "GetRecords" {
				return fakestream.Throttled()
			}
			return nil
		})
		r := shardreader.New(polling(s))
		var c collect
		_ = during(t, func(ctx context.Context) error {
			return r.Shard(ctx, "a", shardreader.Horizon(), c.handle)
		}, func() {
			time.Sleep(time.Minute)
			require.Less(t, s.Calls("GetRecords"), 15, "a minute of throttling")
			require.Positive(t, r.State()[0].Throttled)
			s.Fail(func(string) error { return nil })
			time.Sleep(5 * time.Minute)
			before := s.Calls("GetRecords")
			time.Sleep(time.Minute)
			require.Greater(t, s.Calls("GetRecords")-before, 50, "the rate has come back to one a second")
		})
	})
}

func TestBoundsBytesWhileCatchingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Limit(4)
		for range 100 {
			s.Put("a", "k", make([]byte, 100<<10))
		}
		began := time.Now()
		var took time.Duration
		n := 0
		_ = during(t, func(ctx context.Context) error {
			return shardreader.New(polling(s)).Shard(ctx, "a", shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
				if n += len(b.Records); n == 100 {
					took = time.Since(began)
				}
				return nil
			})
		}, func() { time.Sleep(time.Minute) })
		require.Greater(t, took, 7*time.Second, "10 MB at 1 MiB a second, less the jitter")
		require.Less(t, took, 12*time.Second)
	})
}

func TestStreamMadeAnewIsNoticedBeforeItsRecords(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("old"))
		var c collect
		r := shardreader.New(read(s))
		err := during(t, func(ctx context.Context) error {
			return r.Shard(ctx, "a", shardreader.Horizon(), c.handle)
		}, func() {
			time.Sleep(3 * time.Second)
			s.Remake("a")
			s.Put("a", "k", []byte("new"))
			time.Sleep(3 * time.Second)
			synctest.Wait()
		})
		require.ErrorIs(t, err, shardreader.ErrStreamChanged)
		require.Equal(t, []string{"old"}, c.got())
	})
}

func TestShardGone(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		err := shardreader.New(read(fakestream.New("a"))).Shard(context.Background(), "b", shardreader.Horizon(), nil)
		require.ErrorIs(t, err, shardreader.ErrShardGone)
	})
}

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
		r := shardreader.New(read(s))
		_ = during(t, func(ctx context.Context) error { return r.All(ctx, shardreader.Horizon(), c.handle) }, func() {
			require.False(t, r.CaughtUp())
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
			return shardreader.New(read(s)).All(ctx, shardreader.Latest(), c.handle)
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

func TestSlowHandlerIsReadToSlowly(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Limit(1)
		for i := range 5 {
			s.Put("a", "k", fmt.Append(nil, i))
		}
		var c collect
		_ = during(t, func(ctx context.Context) error {
			return shardreader.New(read(s)).Shard(ctx, "a", shardreader.Horizon(), func(ctx context.Context, b shardreader.Batch) error {
				time.Sleep(10 * time.Second)
				return c.handle(ctx, b)
			})
		}, func() {
			time.Sleep(31 * time.Second)
			require.Len(t, c.got(), 3)
			require.LessOrEqual(t, s.Calls("GetRecords"), 4, "nothing is read ahead")
			time.Sleep(30 * time.Second)
		})
		require.Equal(t, []string{"0", "1", "2", "3", "4"}, c.got())
	})
}

func TestHandlersErrorEndsReading(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("x"))
		stop := errors.New("stop")
		err := shardreader.New(read(s)).All(context.Background(), shardreader.Horizon(), func(context.Context, shardreader.Batch) error { return stop })
		require.ErrorIs(t, err, stop)
	})
}
