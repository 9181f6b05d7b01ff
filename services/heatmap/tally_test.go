package heatmap

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
)

// raise sets Rises as a Group does before it calls Apply.
func raise(batch []points.Arrival, mark event.Mark) []points.Arrival {
	out := slices.Clone(batch)
	for i, p := range out {
		out[i].Rises = mark.Rises(p.Driver, p.Seq)
	}
	return out
}

// Reading again, cut otherwise, and with repeats, adds up to the same rows.
func TestBatchesDecideNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []points.Arrival
		seq := int64(0)
		for i := range rapid.IntRange(1, 80).Draw(t, "points") {
			seq += rapid.Int64Range(-2, 30_000).Draw(t, "step")
			seq = max(seq, 1)
			all = append(all, points.Arrival{
				Point: event.Point{
					Driver: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "driver"), Seq: seq, At: seq,
					Lat: -34.9 + rapid.Float64Range(0, 0.01).Draw(t, "lat"), Lon: -56.2,
				},
				Arrived: time.UnixMilli(int64(i) * 10),
			})
		}

		whole := tallyUp(raise(all, event.NewMark()), time.Time{})
		mark, cells, skipped := event.NewMark(), map[place]count{}, 0
		for left := all; len(left) > 0; {
			n := rapid.IntRange(1, len(left)).Draw(t, "cut")
			for range 2 { // each batch comes twice
				part := tallyUp(raise(left[:n], mark), time.Time{})
				for p, c := range part.cells {
					cells[p] = cells[p].plus(c)
				}
				skipped += part.skippedPoints()
			}
			left = left[n:]
		}

		require.Equal(t, whole.cells, cells)
		var n int64
		for _, c := range cells {
			n += c.n
		}
		require.EqualValues(t, 2*len(all), n+int64(skipped), "every point is counted or skipped")
	})
}

// A minute is shown once nothing of it is to be expected, and its presence is kept for as
// long as somebody may ask for its map.
func TestAMinuteIsShownOnceItHasSettled(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	require.Equal(t, noon.Add(-2*time.Minute), newestMinute(noon.Add(settle-1)))
	require.Equal(t, noon.Add(-time.Minute), newestMinute(noon.Add(settle)))
	require.Greater(t, presenceKept, mostBack+2*window+settle)
}

func TestWindowIsOfTheFix(t *testing.T) {
	p := placeOf(event.Point{At: 1372636859123})
	require.Equal(t, "2013-07-01T00:00:00Z", p.window().Format(time.RFC3339))
}

// A point that was set aside is counted when it comes back, though newer ones were; it
// does not lower the driver's mark.
func TestWhatReturnsIsCounted(t *testing.T) {
	old := points.Arrival{Point: event.Point{Driver: "a", Seq: 5, At: 5}}
	back, next := old, points.Arrival{Point: event.Point{Driver: "a", Seq: 9, At: 9}, Rises: true}
	back.Returns = true

	sum := tallyUp([]points.Arrival{old, next, back}, time.Now())
	require.EqualValues(t, 2, sum.cells[placeOf(old.Point)].n)
	require.Equal(t, event.Mark{"a": 9}, sum.marks)
	require.Equal(t, map[string]int64{"a": 1}, sum.skipped)
}
