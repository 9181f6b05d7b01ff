package location

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// How long puts take is not known before the first, and is of those of the last minutes.
func TestTheLatencyIsOfTheLastMinutes(t *testing.T) {
	s := newStats()
	now := s.rotated
	s.now = func() time.Time { return now }
	of := func() *latency { return s.detail().(detail).Latency }
	require.Nil(t, of())

	s.put(1, 500*time.Millisecond)
	require.InDelta(t, 500, of().P50, 1)

	now = now.Add((windows - 1) * window)
	s.put(1, 20*time.Millisecond)
	require.InDelta(t, 500, of().P99, 1)
	now = now.Add(window)
	require.InDelta(t, 20, of().P99, 1)
	now = now.Add(windows * window)
	require.Nil(t, of())
}
