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
	for i := range seenDrivers {
		tr.see(arrival(fmt.Sprint("d", i), 1), at)
	}
	require.Empty(t, tr.last("d"))
	require.NotNil(t, tr.last("nobody"))
}
