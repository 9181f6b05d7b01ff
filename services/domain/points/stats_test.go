package points

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLatencyIsOfTheLastMinutes(t *testing.T) {
	now := time.Now()
	s := newStats(now.Add(-time.Minute))
	s.now = func() time.Time { return now }
	s.rotated = now
	s.applied(4, []Arrival{
		{Arrived: now.Add(-100 * time.Millisecond)}, {Arrived: now.Add(-time.Second)}, {Arrived: now.Add(time.Second)},
		{Arrived: now.Add(-time.Hour)}, // before the reader began to measure
	}, Outcome{})
	d := s.detail("history")
	require.EqualValues(t, 4, d.Points)
	require.InDelta(t, 100, d.Latency.P50, 2)
	require.InDelta(t, 1000, d.Latency.Max, 10)

	now = now.Add(2 * time.Minute)
	s.applied(1, []Arrival{{Arrived: now.Add(-10 * time.Millisecond)}}, Outcome{})
	require.InDelta(t, 1000, s.detail("history").Latency.Max, 10)
	now = now.Add(time.Hour)
	require.Nil(t, s.detail("history").Latency, "not measured is not 0 ms")
	require.EqualValues(t, 5, s.detail("history").Points)
}
