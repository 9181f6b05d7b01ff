package kinesisproducer_test

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/kinesisproducer"
	"tandem/services/internal/stream/kpl"
)

// oneOfEach returns a key of each bucket.
func oneOfEach(b kpl.Buckets) []string {
	keys := make([]string, b.Count())
	for i := 0; slices.Contains(keys, ""); i++ {
		key := strconv.Itoa(i)
		keys[b.Of(key)] = key
	}
	return keys
}

// On a quiet stream an item is sent at once, and what comes soon after it with the next
// call, a quarter of Linger later.
func TestAQuietStreamAnswersSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const linger = 100 * time.Millisecond
		f := newFakeStream(1)
		p, stop := start(f, func(o *kinesisproducer.Options) { o.Linger = linger })
		began := time.Now()

		// At 0, 6, … 42 ms, each in a bucket of its own.
		var puts sync.WaitGroup
		keys := oneOfEach(3)
		at := make([]time.Duration, len(keys))
		for i, key := range keys {
			puts.Go(func() {
				time.Sleep(time.Duration(i) * 6 * time.Millisecond)
				if _, err := p.Put(t.Context(), key, item(1)); err != nil {
					t.Error(err)
				}
				at[i] = time.Since(began)
			})
		}
		puts.Wait()

		require.NoError(t, stop())
		require.Len(t, f.calls, 3)
		require.Equal(t, keys[:1], f.calls[0])
		require.ElementsMatch(t, keys[1:5], f.calls[1])
		require.Equal(t, []time.Duration{0, linger / 4, linger / 2}, []time.Duration{at[0], at[1], at[7]})
	})
}

// However many clients there are, a shard gets no more records than it takes of up to 64
// buckets, and no client waits longer than Linger and a bit.
func TestABusyShardGetsFewRecords(t *testing.T) {
	for _, buckets := range []kpl.Buckets{3, 5, 6} {
		synctest.Test(t, func(t *testing.T) {
			const linger, length = 100 * time.Millisecond, 10 * time.Second
			f := newFakeStream(1)
			f.latency = 3 * time.Millisecond
			p, stop := start(f, func(o *kinesisproducer.Options) { o.Linger, o.Buckets = linger, buckets })

			var clients sync.WaitGroup
			began := time.Now()
			var points atomic.Int64
			for i := range 256 {
				clients.Go(func() {
					for time.Since(began) < length {
						sent := time.Now()
						if _, err := p.Put(t.Context(), strconv.Itoa(i), item(1)); err != nil {
							t.Error(err)
						}
						if took := time.Since(sent); took > linger+2*f.latency {
							t.Errorf("it took %v", took)
						}
						points.Add(1)
					}
				})
			}
			clients.Wait()
			require.NoError(t, stop())

			perSecond := float64(f.aggregates) / length.Seconds()
			t.Logf("%d buckets on one shard: %.0f records/s, %.0f points/s, %d calls", buckets.Count(), perSecond, float64(points.Load())/length.Seconds(), len(f.calls))
			require.Less(t, perSecond, 900.0)
		})
	}
}

// Each bucket's next record tells which shard it lies on now: after a split its buckets
// are half as many a shard, and an item of a busy one waits less long.
func TestSpacingFollowsAReshard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeStream(1)
		p, stop := start(f, func(o *kinesisproducer.Options) { o.Linger, o.Buckets = 400*time.Millisecond, 6 })
		put := func(key string) time.Duration {
			began := time.Now()
			_, err := p.Put(t.Context(), key, item(1))
			require.NoError(t, err)
			return time.Since(began)
		}
		keys := oneOfEach(6)
		all := func() {
			var puts sync.WaitGroup
			for _, key := range keys {
				puts.Go(func() { put(key) })
			}
			puts.Wait()
		}

		all()
		put(keys[0])
		require.Equal(t, 128*time.Millisecond, put(keys[0]), "64 buckets of 500 records a second")
		f.shardOf = func(key string) string { return strconv.Itoa(kpl.Buckets(1).Of(key)) }
		all()
		put(keys[0])
		require.Equal(t, 100*time.Millisecond, put(keys[0]), "a call each quarter of Linger; the spacing is 64 ms")
		require.NoError(t, stop())
	})
}

// To a backend to which records are dear, a busy bucket sends one each Spacing.
func TestASpacingIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeStream(1)
		p, stop := start(f, func(o *kinesisproducer.Options) { o.Linger, o.Spacing = time.Second, time.Second })
		began := time.Now()
		for seq := range uint64(4) {
			_, err := p.Put(t.Context(), "key", item(seq))
			require.NoError(t, err)
		}
		require.Equal(t, 3*time.Second, time.Since(began), "the first goes at once")
		require.NoError(t, stop())
	})
}

// A record that failed keeps its pause, whoever is sent meanwhile.
func TestWhatFailedDoesNotTravelAlongEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeStream(1)
		keys := oneOfEach(3)
		f.refuses = func(key string) bool { return key == keys[0] }
		p, stop := start(f, func(o *kinesisproducer.Options) {
			o.Linger, o.AggregateMax = 800*time.Millisecond, 1<<10 // an eighth is more than the first pause
		})

		var puts sync.WaitGroup
		put := func(key string, data ...[]byte) {
			if _, err := p.Put(t.Context(), key, data...); err != nil {
				t.Error(err)
			}
		}
		puts.Go(func() { put(keys[0], item(1)) })
		time.Sleep(time.Millisecond)
		puts.Go(func() { put(keys[1], make([]byte, 600), make([]byte, 600)) }) // more than a record: due at once
		time.Sleep(5 * time.Millisecond)

		f.mu.Lock()
		f.refuses = nil
		calls := slices.Clone(f.calls)
		f.mu.Unlock()
		require.Equal(t, [][]string{{keys[0]}, {keys[1]}}, calls, "what failed is tried again after 25 ms at least")
		puts.Wait()
		require.NoError(t, stop())
	})
}
