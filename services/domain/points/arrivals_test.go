package points

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/shardreader"
)

func TestArrivalsAreCountedByShardAndTime(t *testing.T) {
	b := newBinned()
	now := time.UnixMilli(1_800_000_000_010)
	b.note("0", "a", now)
	b.note("0", "a", now.Add(5*time.Millisecond))
	b.note("1", "b", now.Add(-BinLength))
	b.note("0", "a", now.Add(-ArrivalsFor+BinLength))
	b.note("0", "c", now.Add(-time.Hour)) // a recorded one, long ago

	at := now.UnixMilli() / BinLength.Milliseconds()
	zero, one := b.last("0", at), b.last("1", at)
	require.Len(t, zero, int(bins))
	require.Equal(t, 2, zero[bins-1])
	require.Equal(t, 1, zero[0])
	require.Equal(t, 0, zero[bins-2])
	require.Equal(t, 1, one[bins-2], "each shard's own")
	require.Equal(t, 0, one[bins-1])

	// A place of the ring is used again after so many bins: the count of before is gone.
	b.note("0", "a", now.Add(ArrivalsFor))
	later := b.last("0", at+bins)
	require.Equal(t, 1, later[bins-1])
	require.Equal(t, 1, sum(later))
	require.Equal(t, make([]int, bins), b.last("nobody's", at))
}

// A driver counts for as long as points are counted, however many it sends, and on
// whatever shard they arrive.
func TestDriversAreCountedThatSendNow(t *testing.T) {
	b := newBinned()
	now := time.UnixMilli(1_800_000_000_010)
	at := func(now time.Time) int64 { return now.UnixMilli() / BinLength.Milliseconds() }
	b.note("0", "a", now)
	b.note("1", "a", now.Add(-2*time.Second)) // its shard was split, and this one is read later
	b.note("0", "b", now.Add(-ArrivalsFor+BinLength))
	b.note("0", "c", now.Add(-ArrivalsFor))

	require.Equal(t, 2, b.drivers(at(now)))
	require.Equal(t, 1, b.drivers(at(now.Add(BinLength))))
	require.Equal(t, 0, b.drivers(at(now.Add(ArrivalsFor))))
	b.note("0", "b", now.Add(ArrivalsFor))
	require.Equal(t, 1, b.drivers(at(now.Add(ArrivalsFor))))
}

// A reader lives long, and perhaps nobody asks it who sends: it remembers no more than
// who sent lately.
func TestDriversWhoHaveGoneAreForgottenUnasked(t *testing.T) {
	b := newBinned()
	now := time.UnixMilli(1_800_000_000_010)
	for i := range 100 {
		b.note("0", fmt.Sprint("d-", i), now.Add(time.Duration(i)*ArrivalsFor/10))
	}
	require.LessOrEqual(t, len(b.byDriver), 2*10)
}

// What arrived and is left out by the marks has arrived all the same.
func TestARepeatHasArrivedAsWell(t *testing.T) {
	l := newTestLive(t, LiveOptions{Name: "test", Log: slog.New(slog.DiscardHandler), Apply: func(event.Point, time.Time) {}})
	data, err := event.Point{Driver: "a", Seq: 1}.Encode()
	require.NoError(t, err)
	now := time.Now()
	for range 2 {
		require.NoError(t, l.handle(t.Context(), shardreader.Batch{Shard: "s", Records: []shardreader.Record{{Key: "a", Data: data, Arrived: now}}}))
	}
	require.Equal(t, 2, sum(l.arrived.last("s", now.UnixMilli()/BinLength.Milliseconds())))
}

func sum(all []int) (n int) {
	for _, x := range all {
		n += x
	}
	return n
}
