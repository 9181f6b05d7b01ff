package heatmap

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/domain/event"
)

// Reading again, cut otherwise, and with repeats, gives the same rows.
func TestBatchesDecideNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var points []arrival
		seq := int64(0)
		for i := range rapid.IntRange(1, 80).Draw(t, "points") {
			seq += rapid.Int64Range(-2, 30_000).Draw(t, "step")
			seq = max(seq, 1)
			points = append(points, arrival{
				Point: event.Point{
					Driver: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "driver"), Seq: seq, At: seq,
					Lat: -34.9 + rapid.Float64Range(0, 0.01).Draw(t, "lat"), Lon: -56.2,
				},
				arrived: time.UnixMilli(int64(i) * 10),
			})
		}
		whole := tallyUp(points, event.NewMark(), time.Time{})
		mark, cells, skipped := event.NewMark(), map[place]count{}, int64(0)
		for left := points; len(left) > 0; {
			n := rapid.IntRange(1, len(left)).Draw(t, "cut")
			for _, b := range [][]arrival{left[:n], left[:n]} { // each batch comes twice
				part := tallyUp(b, mark, time.Time{})
				for p, c := range part.cells {
					have, ok := cells[p]
					if ok {
						c.n += have.n
						c.first, c.last = earlier(c.first, have.first), later(c.last, have.last)
					}
					cells[p] = c
				}
				for _, s := range part.skipped {
					skipped += s
				}
			}
			left = left[n:]
		}
		require.Equal(t, whole.cells, cells)
		var n int64
		for _, c := range cells {
			n += c.n
		}
		require.EqualValues(t, 2*len(points), n+skipped, "every point is counted or told of")
	})
}

func TestWindowIsOfTheFix(t *testing.T) {
	p := placeOf(event.Point{At: 1372636859123})
	require.Equal(t, "2013-07-01T00:00:00Z", p.window().Format(time.RFC3339))
}
