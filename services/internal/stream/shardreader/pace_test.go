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
