package points

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLatencyIsOfTheLastMinutes(t *testing.T) {
	now := time.Now()
	s := NewStats()
	s.now = func() time.Time { return now }
	s.rotated = now
	s.Applied([]time.Time{now.Add(-100 * time.Millisecond), now.Add(-time.Second), now.Add(time.Second)})
	d := s.Detail("history")
	require.EqualValues(t, 3, d.Points)
	require.InDelta(t, 100, d.Latency.P50, 2)
	require.InDelta(t, 1000, d.Latency.Max, 10)

	now = now.Add(2 * time.Minute)
	s.Applied([]time.Time{now.Add(-10 * time.Millisecond)})
	require.InDelta(t, 1000, s.Detail("history").Latency.Max, 10)
	now = now.Add(time.Hour)
	require.Zero(t, s.Detail("history").Latency.Max)
	require.EqualValues(t, 4, s.Detail("history").Points)
}
