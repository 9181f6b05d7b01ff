package kinesisproducer_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
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
	o := kinesisproducer.Options{Client: f, Stream: "s", Buckets: 3, Linger: 20 * time.Millisecond}
	for _, c := range change {
		c(&o)
	}

	p, err := kinesisproducer.New(o)
	if err != nil {
		panic(err)
	}
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

func TestTheFirstOfAPutCarriesItsTrace(t *testing.T) {
	f := newFakeStream(1)
	type key struct{}
	p, stop := start(f, func(o *kinesisproducer.Options) {
		o.AggregateMax = 1024
		o.Trace = func(ctx context.Context) string { trace, _ := ctx.Value(key{}).(string); return trace }
	})
	put := func(trace string, data ...[]byte) {
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, trace), 5*time.Second)
		defer cancel()
		_, err := p.Put(ctx, "k", data...)
		require.NoError(t, err)
	}
	traceparent := strings.Repeat("t", 55)

	put(traceparent, []byte("first"), []byte("second"))
	put("", []byte("third"))
	put(strings.Repeat("t", 5000), []byte("there is no room for this one's"))
	largest := make([]byte, 1024-128-kpl.TraceSize-1)
	put(traceparent, largest)
	require.NoError(t, stop())
	require.Equal(t, map[string]string{"first": traceparent, string(largest): traceparent}, f.traced)
}
