package shardreader_test

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

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
		r := newReader(t, read(s))

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
		require.NoError(t, err)
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
			return newReader(t, read(s)).Shard(ctx, "a", shardreader.After(shardreader.Position{Shard: "a", Sequence: seq, Sub: 2}), c.handle)
		}, func() { time.Sleep(time.Second); synctest.Wait() })

		require.Equal(t, []string{"3", "4", "5", "6", "plain"}, c.got())
		require.False(t, c.last().Trimmed)
	})
}

func TestRecordThatCannotBeUnpackedIsHandedOverWhole(t *testing.T) {
	// The check sum is right, so it is an aggregate; and it holds nonsense.
	sum := md5.Sum([]byte("nonsense"))
	data := "\xf3\x89\x9a\xc2nonsense" + string(sum[:])

	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte(data))
		var c collect

		_ = during(t, func(ctx context.Context) error {
			return newReader(t, read(s)).Shard(ctx, "a", shardreader.Horizon(), c.handle)
		}, func() { time.Sleep(time.Second); synctest.Wait() })

		require.Equal(t, []string{data}, c.got())
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
			return newReader(t, read(s)).Shard(ctx, "a", shardreader.After(shardreader.Position{Shard: "a", Sequence: first}), c.handle)
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
		r := newReader(t, polling(s))
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
			o := polling(s)
			o.CatchUpBytes = 1 << 20
			return newReader(t, o).Shard(ctx, "a", shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
				if n += len(b.Records); n == 100 {
					took = time.Since(began)
				}
				return nil
			})
		}, func() { time.Sleep(time.Minute) })

		require.Greater(t, took, 7*time.Second, "10 MB at 1 MiB a second, less the jitter")
		require.Less(t, took, 16*time.Second, "it begins with half of that")
	})
}

func TestRecreatedStreamIsNoticedBeforeItsRecords(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("old"))
		var c collect
		r := newReader(t, read(s))
		err := during(t, func(ctx context.Context) error {
			return r.Shard(ctx, "a", shardreader.Horizon(), c.handle)
		}, func() {
			time.Sleep(3 * time.Second)
			s.Recreate("a")
			s.Put("a", "k", []byte("new"))
			time.Sleep(3 * time.Second)
			synctest.Wait()
		})
		require.ErrorIs(t, err, shardreader.ErrStreamChanged)
		require.Equal(t, []string{"old"}, c.got())
	})
}

// recreating is a stream that is recreated just before it is asked for its first iterator.
type recreating struct {
	*fakestream.Stream
	once sync.Once
}

func (s *recreating) GetShardIterator(ctx context.Context, in *kinesis.GetShardIteratorInput, o ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error) {
	s.once.Do(func() {
		s.Recreate("a")
		s.Put("a", "k", []byte("new"))
	})
	return s.Stream.GetShardIterator(ctx, in, o...)
}

func TestAnIteratorOfAnotherStreamIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &recreating{Stream: fakestream.New("a")}
		created := time.Now().Add(-time.Hour)
		s.SetCreated(created)
		o := polling(s.Stream)
		o.Client, o.Created = s, created
		var c collect
		err := during(t, func(ctx context.Context) error {
			return newReader(t, o).Shard(ctx, "a", shardreader.Horizon(), c.handle)
		}, func() { time.Sleep(time.Minute) })
		require.ErrorIs(t, err, shardreader.ErrStreamChanged)
		require.Empty(t, c.got())
	})
}

func TestShardGone(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		err := newReader(t, read(fakestream.New("a"))).Shard(context.Background(), "b", shardreader.Horizon(), nil)
		require.ErrorIs(t, err, shardreader.ErrShardGone)
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
			return newReader(t, read(s)).Shard(ctx, "a", shardreader.Horizon(), func(ctx context.Context, b shardreader.Batch) error {
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

// Ending the context is no error, whatever fails because of it, and whether
// shards are waiting, being read or refused.
func TestNilOnceTheContextHasEnded(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("x"))
		refused := fakestream.New("a")
		refused.Fail(func(string) error { return fakestream.ErrRefused })
		ends := func(ctx context.Context, _ shardreader.Batch) error {
			<-ctx.Done()
			return fmt.Errorf("insert: %w", ctx.Err())
		}
		var c collect

		for name, one := range map[string]struct {
			stream *fakestream.Stream
			handle shardreader.Handler
		}{
			"at the tip": {s, c.handle}, "in the handler": {s, ends}, "failing": {refused, c.handle},
		} {
			r := newReader(t, read(one.stream))
			require.NoError(t, during(t, func(ctx context.Context) error {
				return r.Shard(ctx, "a", shardreader.Horizon(), one.handle)
			}, func() { time.Sleep(time.Minute) }), "Shard, %s", name)
			require.NoError(t, during(t, func(ctx context.Context) error {
				return r.All(ctx, shardreader.Horizon(), one.handle)
			}, func() { time.Sleep(time.Minute) }), "All, %s", name)

			late, cancel := context.WithTimeout(context.Background(), time.Second)
			require.NoError(t, r.All(late, shardreader.Horizon(), one.handle), "a deadline, %s", name)
			cancel()
		}
	})
}

func TestHandlersErrorEndsReading(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("x"))
		stop := errors.New("stop")
		err := newReader(t, read(s)).All(context.Background(), shardreader.Horizon(), func(context.Context, shardreader.Batch) error { return stop })
		require.ErrorIs(t, err, stop)
	})
}
