package kinesisproducer_test

import (
	"slices"
	"strconv"
	"sync"
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

// Buckets that fall due one after the other share a call, as far as it comes at most a
// quarter of Linger early.
func TestWhatIsNearlyDueTravelsAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const linger = 100 * time.Millisecond
		f := newFakeStream(1)
		p, stop := start(f, func(o *kinesisproducer.Options) { o.Linger = linger })
		began := time.Now()

		// At 0, 5, … 35 ms: the first six are due within 25 ms of the first.
		var puts sync.WaitGroup
		keys := oneOfEach(3)
		took := make([]time.Duration, len(keys))
		for i, key := range keys {
			puts.Go(func() {
				time.Sleep(time.Duration(i) * 5 * time.Millisecond)
				if _, err := p.Put(t.Context(), key, item(1)); err != nil {
					t.Error(err)
				}
				took[i] = time.Since(began)
			})
		}
		puts.Wait()

		require.NoError(t, stop())
		require.Len(t, f.calls, 2)
		require.ElementsMatch(t, keys[:6], f.calls[0])
		require.ElementsMatch(t, keys[6:], f.calls[1])
		require.Equal(t, linger, took[5], "it waited for 75 ms")
		require.Equal(t, linger+30*time.Millisecond, took[6], "it would have come more than a quarter early")
	})
}

// A record that failed keeps its pause, whoever is sent meanwhile.
func TestWhatFailedDoesNotTravelAlongEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeStream(1)
		keys := oneOfEach(3)
		f.refuses = func(key string) bool { return key == keys[0] }
		p, stop := start(f, func(o *kinesisproducer.Options) {
			o.Linger, o.AggregateMax = 400*time.Millisecond, 1<<10 // a quarter is more than the first pause
		})

		var puts sync.WaitGroup
		put := func(key string, data ...[]byte) {
			if _, err := p.Put(t.Context(), key, data...); err != nil {
				t.Error(err)
			}
		}
		puts.Go(func() { put(keys[0], item(1)) })
		time.Sleep(401 * time.Millisecond)
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
