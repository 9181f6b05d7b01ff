package kinesisproducer_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/kinesisproducer"
	"tandem/services/internal/stream/kpl"
)

// The caller may give up in the moment in which its last item is acknowledged:
// then all is durable, and an error would say otherwise.
func TestAllAcknowledgedIsNoError(t *testing.T) {
	var mu sync.Mutex
	var giveUp context.CancelFunc
	f := newFakeStream(1)
	f.answered = func() {
		mu.Lock()
		defer mu.Unlock()
		go giveUp()
	}
	p, stop := start(f, func(o *kinesisproducer.Options) { o.Linger = time.Microsecond })

	for range 10_000 { // the moment is short: about one try in 2,000 hits it
		ctx, cancel := context.WithCancel(t.Context())
		mu.Lock()
		giveUp = cancel
		mu.Unlock()
		acked, err := p.Put(ctx, "k", item(1), item(2))
		cancel()
		if acked == 2 {
			require.NoError(t, err, "all of it is durable")
		} else {
			require.ErrorIs(t, err, context.Canceled)
		}
	}
	require.NoError(t, stop())
}

// A Put that waits as long as it takes is told when nobody sends any more.
func TestPutEndsWhenRunGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeStream(1)
		f.down = true
		p, stop := start(f)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		put := make(chan error, 1)
		go func() {
			_, err := p.Put(ctx, "a", item(1), item(2))
			put <- err
		}()
		synctest.Wait()

		require.EqualError(t, stop(), "kinesisproducer: 16 bytes were not sent in time")

		synctest.Wait()
		select {
		case err := <-put:
			require.ErrorIs(t, err, kinesisproducer.ErrClosed)
		default:
			t.Fatal("Run has ended, and Put still waits")
		}
	})
}

// Where every call that may be under way hangs, and more waits, Run notices all the same
// that it is to end, and ends when its time is over.
func TestRunEndsInTimeWhileEveryCallHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := hanging{}
		p, err := kinesisproducer.New(kinesisproducer.Options{Client: f, Stream: "s", Buckets: 6, Linger: 10 * time.Millisecond, CallWithin: 5 * time.Second})
		require.NoError(t, err)
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx, time.Second) }()
		for i := range 20 {
			go func() { _, _ = p.Put(t.Context(), fmt.Sprint(i), item(1)) }()
			time.Sleep(20 * time.Millisecond) // each by a call of its own
		}

		began := time.Now()
		end()
		synctest.Wait()
		_, err = p.Put(t.Context(), "late", item(1))
		require.ErrorIs(t, err, kinesisproducer.ErrClosed)
		require.Zero(t, time.Since(began), "at once")
		require.ErrorContains(t, <-ended, "were not sent in time")
		require.Equal(t, time.Second, time.Since(began))
	})
}

// hanging answers no call before its context ends.
type hanging struct{}

func (hanging) PutRecords(ctx context.Context, _ *kinesis.PutRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// One hot bucket is a matter of its own keys. A stream that takes nothing is not,
// and neither is half of it.
func TestReadyIsJudgedByTimeAndShare(t *testing.T) {
	for name, c := range map[string]struct {
		hot   int // buckets of 8 whose records fail
		after time.Duration
		ready bool
	}{
		"one bucket of eight":       {1, 10 * time.Second, true},
		"all, for a moment":         {8, time.Second, true},
		"all, for longer":           {8, 4 * time.Second, false},
		"five of eight, for longer": {5, 4 * time.Second, false},
		"none":                      {0, 10 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeStream(1)
				f.refuses = func(key string) bool { return kpl.Buckets(3).Of(key) < c.hot }
				p, stop := start(f)
				ctx, cancel := context.WithTimeout(t.Context(), c.after+time.Second)
				defer cancel()
				var wg sync.WaitGroup
				for i := range 200 {
					wg.Go(func() {
						for seq := uint64(1); ctx.Err() == nil; seq++ {
							_, _ = p.Put(ctx, fmt.Sprint(i), item(seq))
						}
					})
				}

				time.Sleep(c.after)
				err := p.Ready(ctx)

				cancel()
				wg.Wait()
				f.mu.Lock()
				f.refuses = nil
				f.mu.Unlock()
				require.NoError(t, stop())
				if c.ready {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, "ProvisionedThroughputExceededException")
				require.NoError(t, p.Ready(t.Context()), "it was sent after all")
			})
		})
	}
}

// A call whose answer is lost may arrive late, behind what was put after it. The
// producer cannot prevent that; a reader's mark drops it.
func TestALateCopyIsDroppedByTheReadersMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeStream(1)
		f.late = 8 * time.Second // a proxy holds the first call, and lets it through after the caller gave up
		p, stop := start(f)
		for n := uint64(1); n <= 2; n++ {
			_, err := p.Put(t.Context(), "k", item(n))
			require.NoError(t, err)
		}
		time.Sleep(20 * time.Second)
		require.NoError(t, stop())

		f.mu.Lock()
		defer f.mu.Unlock()
		got, skipped := distinct(f.stored["k"])
		require.Equal(t, []uint64{1, 2}, got)
		require.Equal(t, []uint64{1}, skipped, "the copy lies behind newer data")
	})
}
