package points

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNewestFirstAndBounded(t *testing.T) {
	tr := NewRecent()
	at := time.UnixMilli(1000)
	for i := range 12 {
		tr.See("shard", fmt.Sprint(i), "d", int64(i), at, at.Add(time.Millisecond))
	}
	got := tr.Last("d")
	require.Len(t, got, PerDriver)
	require.Equal(t, Seen{Seq: 11, Shard: "shard", SequenceNumber: "11", ArrivedAt: 1000, AppliedAt: 1001}, got[0])
	require.EqualValues(t, 4, got[PerDriver-1].Seq)
	for i := range MaxDrivers {
		tr.See("shard", "1", fmt.Sprint("d", i), 1, at, at)
	}
	require.Empty(t, tr.Last("d"))
	require.NotNil(t, tr.Last("nobody"))
}
