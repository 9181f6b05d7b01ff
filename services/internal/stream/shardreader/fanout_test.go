package shardreader_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// leased is a consumer whose lease can be revoked and granted again.
type leased struct {
	arn  string
	now  atomic.Pointer[context.CancelFunc]
	held atomic.Pointer[context.Context]
}

func (l *leased) grant() {
	ctx, cancel := context.WithCancel(context.Background())
	l.now.Store(&cancel)
	l.held.Store(&ctx)
}

func (l *leased) revoke() {
	if cancel := l.now.Load(); cancel != nil {
		(*cancel)()
	}
}

func (l *leased) consumer() (context.Context, string) {
	if ctx := l.held.Load(); ctx != nil && (*ctx).Err() == nil {
		return *ctx, l.arn
	}
	return nil, ""
}

func TestFanOutHandsOverAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		r := newReader(t, fanOut(s))
		var c collect

		_ = during(t, func(ctx context.Context) error {
			return r.Shard(ctx, "a", shardreader.Latest(), c.handle)
		}, func() {
			for range 3 {
				time.Sleep(time.Second)
				s.Put("a", "k", []byte("x"))
				before := len(c.got())
				synctest.Wait() // for all to come to rest, not for time to pass
				require.Len(t, c.got(), before+1)
			}
			require.True(t, r.State()[0].FanOut)
			require.True(t, r.State()[0].AtTip)
			require.Zero(t, s.Calls("GetRecords"), "nothing is taken of what pollers share")
		})
	})
}

// A subscription ends after five minutes, and is asked for again after what it
// brought, though nothing came for hours.
func TestFanOutSubscribesAgainAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("1"))
		var c collect

		_ = during(t, func(ctx context.Context) error {
			return newReader(t, fanOut(s)).Shard(ctx, "a", shardreader.Horizon(), c.handle)
		}, func() {
			time.Sleep(time.Hour)
			s.Trim("a", 1) // a day has passed
			time.Sleep(time.Hour)
			s.Put("a", "k", []byte("2"))
			synctest.Wait()
		})
		require.Equal(t, []string{"1", "2"}, c.got())
		require.False(t, c.last().Trimmed, "nothing was lost, though the last record is not kept any more")
		require.InDelta(t, 24, s.Calls("SubscribeToShard"), 1)
		require.Equal(t, 1, s.Calls("DescribeStreamSummary"))
		require.Zero(t, s.Calls("GetRecords"))
	})
}

// Where a subscription cannot be had, what lies on the shard is polled.
func TestFanOutPollsWhereItIsRefused(t *testing.T) {
	for name, refuse := range map[string]func(s *fakestream.Stream, arn string){
		"in use": func(s *fakestream.Stream, arn string) {
			s.Fail(func(op string) error {
				if op == "SubscribeToShard" {
					return fakestream.InUse()
				}
				return nil
			})
		},
		"the consumer is gone": func(s *fakestream.Stream, arn string) { s.Deregister(arn) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := fakestream.New("a")
				s.Put("a", "k", []byte("1"))
				o := polling(s)
				arn := s.Register("c")
				o.FanOut, o.Consumer = s, always(arn)

				refuse(s, arn)
				r := newReader(t, o)
				var c collect

				_ = during(t, func(ctx context.Context) error {
					return r.Shard(ctx, "a", shardreader.Horizon(), c.handle)
				}, func() {
					time.Sleep(time.Minute)
					require.Equal(t, []string{"1"}, c.got())
					require.False(t, r.State()[0].FanOut)
					s.Put("a", "k", []byte("2"))
					time.Sleep(time.Minute)
				})
				require.Equal(t, []string{"1", "2"}, c.got())
				require.Less(t, s.Calls("SubscribeToShard"), 12, "it is tried now and then")
			})
		})
	}
}

// A consumer that is lost is not used from then on, and used again when it is back.
func TestFanOutStopsWhenTheConsumerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a", "b")
		l := &leased{arn: s.Register("c")}
		l.grant()
		o := polling(s)
		o.FanOut, o.Consumer = s, l.consumer
		r := newReader(t, o)
		var c collect

		_ = during(t, func(ctx context.Context) error { return r.All(ctx, shardreader.Horizon(), c.handle) }, func() {
			time.Sleep(time.Minute)
			require.Equal(t, 2, s.Subscribed(l.arn))
			l.revoke()
			synctest.Wait()
			require.Zero(t, s.Subscribed(l.arn))
			s.Put("a", "k", []byte("1"))
			time.Sleep(2 * time.Second)
			require.Equal(t, []string{"1"}, c.got())
			l.grant()
			time.Sleep(2 * time.Second)
			require.Equal(t, 2, s.Subscribed(l.arn))
		})
		require.Zero(t, s.Subscribed(l.arn), "nothing is left open")
	})
}

// Two that use one consumer take it from each other, at most once in five
// seconds. Each still reads everything once.
func TestFanOutTwoWithOneConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		o := fanOut(s)
		var want []string
		var a, b collect
		ctx, cancel := context.WithCancel(context.Background())
		var ended [2]chan error
		for i, c := range []*collect{&a, &b} {
			ended[i] = make(chan error, 1)
			r := newReader(t, o)
			go func() { ended[i] <- r.Shard(ctx, "a", shardreader.Horizon(), c.handle) }()
		}

		for i := range 100 {
			want = append(want, fmt.Sprint(i))
			s.Put("a", "k", []byte(want[i]))
			time.Sleep(time.Second)
		}

		require.Less(t, s.Calls("SubscribeToShard"), 100)
		cancel()
		for _, e := range ended {
			require.NoError(t, <-e)
		}
		require.Equal(t, want, a.got())
		require.Equal(t, want, b.got())
	})
}

// What holds a subscription's reader up for longer than the subscription lasts
// loses nothing.
func TestFanOutSlowHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Limit(1)
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprint(i))
			s.Put("a", "k", []byte(want[i]))
		}
		var c collect

		_ = during(t, func(ctx context.Context) error {
			return newReader(t, fanOut(s)).Shard(ctx, "a", shardreader.Horizon(), func(ctx context.Context, b shardreader.Batch) error {
				if len(c.got())%4 == 0 {
					time.Sleep(6 * time.Minute)
				}
				return c.handle(ctx, b)
			})
		}, func() { time.Sleep(time.Hour) })
		require.Equal(t, want, c.got())
	})
}

// A subscription that says nothing, as over a connection that died unnoticed,
// is given up.
func TestFanOutSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Mute(true)
		var c collect

		_ = during(t, func(ctx context.Context) error {
			return newReader(t, fanOut(s)).Shard(ctx, "a", shardreader.Horizon(), c.handle)
		}, func() {
			s.Put("a", "k", []byte("x"))
			time.Sleep(20 * time.Second)
			require.Empty(t, c.got())
			time.Sleep(20 * time.Second)
			require.Equal(t, []string{"x"}, c.got(), "polled")
		})
	})
}

// early answers the first subscription with one event without records, whose continuation
// lies before what was asked for.
type early struct {
	*fakestream.Stream
	done atomic.Bool
}

func (e *early) SubscribeToShard(ctx context.Context, in *kinesis.SubscribeToShardInput, opts ...func(*kinesis.Options)) (shardreader.Subscription, error) {
	if e.done.Swap(true) {
		return e.Stream.SubscribeToShard(ctx, in, opts...)
	}
	events := make(chan types.SubscribeToShardEventStream, 1)
	events <- &types.SubscribeToShardEventStreamMemberSubscribeToShardEvent{Value: types.SubscribeToShardEvent{ContinuationSequenceNumber: aws.String("0")}}
	go func() { // later than a subscription may be asked for again
		time.Sleep(2 * time.Second)
		close(events)
	}()
	return nothing(events), nil
}

type nothing chan types.SubscribeToShardEventStream

func (n nothing) Events() <-chan types.SubscribeToShardEventStream { return n }
func (n nothing) Close() error                                     { return nil }
func (n nothing) Err() error                                       { return nil }

func TestFanOutResumedHandsNothingOverTwiceAfterAnEmptyEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Put("a", "k", []byte("1"))
		s.Put("a", "k", []byte("2"))
		var before, c collect

		_ = during(t, func(ctx context.Context) error {
			return newReader(t, polling(s)).Shard(ctx, "a", shardreader.Horizon(), before.handle)
		}, synctest.Wait)
		o := fanOut(s)
		o.FanOut = &early{Stream: s}

		_ = during(t, func(ctx context.Context) error {
			return newReader(t, o).Shard(ctx, "a", shardreader.After(before.batches[0].Records[0].Position), c.handle)
		}, func() { time.Sleep(10 * time.Second) })
		require.Equal(t, []string{"2"}, c.got())
	})
}
