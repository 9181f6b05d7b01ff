package shardreader

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Bytes rise by steps to all that is allowed, and are halved where the shard
// throttles.
func TestBytesRiseAndAreHalved(t *testing.T) {
	p := newPace(time.Second, 2_000_000)
	wait := func() float64 { return p.ok(1_000_000, true).Seconds() }

	require.InDelta(t, 1/1.1, wait(), 0.01, "half, and a step")
	for range 20 {
		wait()
	}
	require.InDelta(t, 0.5, wait(), 0.01, "all")

	p.throttled(true)
	require.InDelta(t, 1/1.1, wait(), 0.01, "half, and a step")
	for range 20 {
		p.throttled(true)
	}
	p.rate = catchUpCalls // the bytes alone
	require.InDelta(t, 5, wait(), 0.01, "never nothing")
}

// A call asks for what may be read until the next one, and for a second's worth at most.
func TestACallAsksForItsShare(t *testing.T) {
	p := newPace(time.Second, 2_000_000)
	require.EqualValues(t, 250, p.records(1000, true), "half of the bytes, a quarter of a second")
	require.EqualValues(t, 1000, p.records(1000, false), "until the next poll at the tip")
	require.EqualValues(t, 1, p.records(1_000_000, true), "one at least")

	p.bytes, p.rate = p.most, minCalls
	require.EqualValues(t, 2000, p.records(1000, true), "no lump, however seldom it calls")
	require.EqualValues(t, 2_000_000, p.records(0, true), "records of nothing")
}

// A call asks for few records at first, for more while answers come soon, and for
// half after one that was slow or did not come.
func TestSizeFollowsTheAnswers(t *testing.T) {
	z := newSize(5000, 8*time.Second)
	require.EqualValues(t, 500, z.now)
	for range 5 {
		z.answered(time.Millisecond)
	}
	require.EqualValues(t, 5000, z.now, "no more than a call may")

	z.answered(2 * time.Second)
	require.EqualValues(t, 5000, z.now, "neither soon nor slow")
	z.answered(5 * time.Second)
	require.EqualValues(t, 2500, z.now)
	for range 10 {
		z.timedOut()
	}
	require.EqualValues(t, 50, z.now, "never nothing")
	require.EqualValues(t, 10, newSize(10, time.Second).now)
}
