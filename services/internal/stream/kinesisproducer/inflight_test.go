package kinesisproducer_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/kinesisproducer"
)

// putAt puts data of one key after a time, and tells when all of it was acknowledged.
func putAt(t *testing.T, p *kinesisproducer.Producer, key string, after time.Duration, data ...[]byte) <-chan time.Duration {
	t.Helper()
	began, took := time.Now(), make(chan time.Duration, 1)
	go func() {
		time.Sleep(after)
		if _, err := p.Put(t.Context(), key, data...); err != nil {
			t.Error(err)
		}
		took <- time.Since(began)
	}()
	return took
}

// While a record of a bucket has no answer, none behind it is sent, however long that
// takes: two in one stream's hands may be stored in either order, and the answer to the
// first would acknowledge the second.
func TestOneRecordOfABucketIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeStream(1)
		f.latency = time.Second                                                 // many times Linger
		p, stop := start(f, func(o *kinesisproducer.Options) { o.Buckets = 0 }) // both keys are of one

		first := putAt(t, p, "a", 0, item(1))
		second := putAt(t, p, "b", 100*time.Millisecond, item(2))

		require.Equal(t, time.Second, <-first)
		require.Equal(t, 2*time.Second, <-second)
		require.NoError(t, stop())
	})
}

// What a full record had no room for has waited already: it waits no longer than Linger
// in all, and not for the time from one record to the next again.
func TestWhatDidNotFitWaitsNoLongerThanLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeStream(1)
		f.latency = 500 * time.Millisecond
		p, stop := start(f, func(o *kinesisproducer.Options) {
			o.Buckets, o.AggregateMax = 0, 1<<10
			o.Linger, o.Spacing = 800*time.Millisecond, 800*time.Millisecond
		})

		first := putAt(t, p, "a", 0, item(1))
		rest := putAt(t, p, "b", time.Millisecond, make([]byte, 600), make([]byte, 600)) // one record each

		require.Equal(t, 500*time.Millisecond, <-first)
		require.Equal(t, 1500*time.Millisecond, <-rest, "three calls, one behind the other")
		require.NoError(t, stop())
	})
}
