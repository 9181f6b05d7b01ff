package kinesisproducer_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/internal/stream/kinesisproducer"
	"tandem/services/internal/stream/kpl"
)

// item is data that tells its place in its key's order.
func item(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func start(f *fakeStream, change ...func(*kinesisproducer.Options)) (p *kinesisproducer.Producer, stop func() error) {
	o := kinesisproducer.Options{Client: f, Stream: "s", Buckets: 3, Log: slog.New(slog.DiscardHandler), Linger: 20 * time.Millisecond}
	for _, c := range change {
		c(&o)
	}

	p = kinesisproducer.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, 30*time.Second) }()
	return p, func() error { cancel(); return <-ended }
}

// distinct drops repeats as a reader does: what is not above the newest seen.
func distinct(seen [][]byte) (out []uint64, skipped []uint64) {
	last := uint64(0)
	for _, data := range seen {
		n := binary.BigEndian.Uint64(data)
		if n > last {
			out, last = append(out, n), n
		} else {
			skipped = append(skipped, n)
		}
	}
	return out, skipped
}

// Whatever fails, what was acknowledged is on the stream, and each key's data,
// after repeats are dropped, is in order and without a hole.
func TestEachKeysOrderThroughFailures(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		partial := rapid.Float64Range(0, 0.6).Draw(rt, "partial")
		lost := rapid.Float64Range(0, 0.4).Draw(rt, "lost")
		patience := time.Duration(rapid.IntRange(50, 2000).Draw(rt, "patience ms")) * time.Millisecond
		synctest.Test(t, func(t *testing.T) {
			f := newFakeStream(seed)
			f.partial, f.lost = partial, lost
			p, stop := start(f)

			var wg sync.WaitGroup
			for k := range 12 {
				wg.Go(func() {
					key := fmt.Sprint("driver-", k)
					next, want := uint64(1), uint64(30)
					for next <= want {
						var batch [][]byte
						for n := next; n <= min(next+4, want); n++ {
							batch = append(batch, item(n))
						}

						ctx, cancel := context.WithTimeout(context.Background(), patience)
						acked, err := p.Put(ctx, key, batch...)
						cancel()
						if err == nil && acked != len(batch) {
							t.Errorf("acked %d of %d without an error", acked, len(batch))
						}
						next += uint64(acked)
					}
				})
			}

			wg.Wait()
			if err := stop(); err != nil {
				t.Error(err)
			}

			f.mu.Lock()
			defer f.mu.Unlock()
			for k := range 12 {
				key := fmt.Sprint("driver-", k)
				got, skipped := distinct(f.stored[key])
				if len(got) != 30 {
					t.Fatalf("%s: %d of 30, in order %v of %v", key, len(got), got, f.stored[key])
				}
				for _, n := range skipped {
					if n > 30 {
						t.Errorf("%s: %d was skipped", key, n)
					}
				}
			}
		})
	})
}

func TestManyItemsTravelInFewRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeStream(1)
		p, stop := start(f)
		var wg sync.WaitGroup
		for k := range 200 {
			wg.Go(func() {
				if _, err := p.Put(t.Context(), fmt.Sprint(k), item(1), item(2), item(3)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()

		require.NoError(t, stop())
		require.Equal(t, 600, f.records)
		require.LessOrEqual(t, f.aggregates, 16, "8 buckets, two rounds at most")
	})
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeStream(1)
		f.down = true
		p, stop := start(f, func(o *kinesisproducer.Options) { o.MaxPending = 64 })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		blocked := make(chan error, 1)
		go func() {
			_, err := p.Put(ctx, "a", item(1), item(2), item(3), item(4), item(5), item(6), item(7))
			blocked <- err
		}()
		synctest.Wait()

		short, cancelShort := context.WithTimeout(t.Context(), time.Second)
		defer cancelShort()
		_, err := p.Put(short, "b", item(1), item(2))
		require.ErrorIs(t, err, context.DeadlineExceeded, "there is no room")
		time.Sleep(5 * time.Second)
		require.Error(t, p.Ready(t.Context()), "and it says why")

		f.mu.Lock()
		f.down = false
		f.mu.Unlock()
		require.NoError(t, <-blocked)
		_, err = p.Put(t.Context(), "b", item(1))
		require.NoError(t, err)
		require.NoError(t, p.Ready(t.Context()))

		require.NoError(t, stop())
		_, err = p.Put(t.Context(), "b", item(1))
		require.ErrorIs(t, err, kinesisproducer.ErrClosed)
	})
}

// That Run's context has ended is no error; that data was left unsent is one.
func TestRunReturnsAnErrorOnlyWhereDataIsLeft(t *testing.T) {
	for name, down := range map[string]bool{"all is sent": false, "the stream is down": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeStream(1)
				f.down = down
				p, stop := start(f, func(o *kinesisproducer.Options) { o.Linger = time.Hour })
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
				defer cancel()
				put := make(chan error, 1)
				go func() {
					_, err := p.Put(ctx, "a", item(1), item(2))
					put <- err
				}()
				synctest.Wait()
				began := time.Now()

				err := stop()

				if down {
					require.EqualError(t, err, "kinesisproducer: 16 bytes were not sent in time")
					require.InDelta(t, 30, time.Since(began).Seconds(), 6, "the drain time")
					require.ErrorIs(t, <-put, kinesisproducer.ErrClosed)
					return
				}
				require.NoError(t, err)
				require.Zero(t, time.Since(began), "draining does not wait for Linger")
				require.NoError(t, <-put)
			})
		})
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	p, stop := start(newFakeStream(1), func(o *kinesisproducer.Options) { o.AggregateMax = 1024 })
	_, err := p.Put(t.Context(), "k", make([]byte, 2000))
	require.ErrorIs(t, err, kinesisproducer.ErrTooLarge)
	require.NoError(t, stop())
}

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

// One hot bucket is a matter of its own keys. A stream that takes nothing is not,
// and neither is half of it.
func TestReadyIsJudgedByTimeAndShare(t *testing.T) {
	for name, c := range map[string]struct {
		hot   int // buckets of 8 whose records fail
		after time.Duration
		ready bool
	}{
		"one bucket of eight":       {1, time.Minute, true},
		"all, for a moment":         {8, time.Second, true},
		"all, for longer":           {8, 4 * time.Second, false},
		"five of eight, for longer": {5, 4 * time.Second, false},
		"none":                      {0, time.Minute, true},
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
