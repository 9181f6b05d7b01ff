package points

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
)

func TestNewestFirstAndBounded(t *testing.T) {
	tr := newRecent()
	at := time.UnixMilli(1000)
	arrival := func(driver string, seq int64) Arrival {
		return Arrival{Point: event.Point{Driver: driver, Seq: seq}, Arrived: at, Shard: "shard", SequenceNumber: fmt.Sprint(seq)}
	}
	for i := range 12 {
		tr.see(arrival("d", int64(i)), at.Add(time.Millisecond))
	}
	got := tr.last("d")
	require.Len(t, got, seenPerDriver)
	require.Equal(t, Seen{Seq: 11, Shard: "shard", SequenceNumber: "11", ArrivedAt: 1000, AppliedAt: 1001}, got[0])
	require.EqualValues(t, 4, got[seenPerDriver-1].Seq)
	require.NotNil(t, tr.last("nobody"))

	// Of more drivers than there is room for, those of before stay, until they are silent.
	tr.most = 3
	for i := range 10 {
		tr.see(arrival(fmt.Sprint("other-", i), 1), at)
	}
	require.Len(t, tr.byDriver, 3)
	require.NotEmpty(t, tr.last("d"))
	require.Empty(t, tr.last("other-9"))

	at = at.Add(seenFor - time.Millisecond)
	tr.see(arrival("d", 12), at)
	tr.see(arrival("other-9", 1), at.Add(2*time.Millisecond))
	require.NotEmpty(t, tr.last("other-9"))
	require.NotEmpty(t, tr.last("d"))
	require.Empty(t, tr.last("other-0"))
}

func BenchmarkSeeing100000Drivers(b *testing.B) {
	tr := newRecent()
	arrivals := make([]Arrival, 100_000)
	for i := range arrivals {
		arrivals[i] = Arrival{Point: event.Point{Driver: fmt.Sprint("driver-", i), Seq: 1}, Arrived: time.UnixMilli(1), Shard: "shard", SequenceNumber: "1"}
	}
	now := time.Now()
	for i := 0; b.Loop(); i++ {
		tr.see(arrivals[i%len(arrivals)], now)
	}
}
