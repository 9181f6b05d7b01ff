package mapfeed

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/domain/geo"
)

// Speed and heading are rounded to hundredths, as history's playback has them: 8.29 times
// 100 lies just below 829.
func TestAVehiclesNumbersAreRounded(t *testing.T) {
	p := point("d", 1, -34.9, -56.2)
	p.Speed, p.Heading = new(8.29), new(359.999)
	v := appendVehicle(nil, &vehicle{point: p}, time.Now())
	require.EqualValues(t, 829, binary.LittleEndian.Uint16(v[speedAt:]))
	require.Zero(t, binary.LittleEndian.Uint16(v[headingAt:]), "360 is 0")
}

// What a view finds by cells is what it finds by looking at every vehicle.
func TestAViewFindsWhatLiesInIt(t *testing.T) {
	lat := rapid.OneOf(rapid.Float64Range(-90, 90), rapid.Float64Range(-34.95, -34.75), rapid.SampledFrom([]float64{-90, 90, 0, -34.9}))
	lon := rapid.OneOf(rapid.Float64Range(-180, 180), rapid.Float64Range(-56.4, -56), rapid.SampledFrom([]float64{-180, 180, 0, -56.2}))
	rapid.Check(t, func(t *rapid.T) {
		now := time.UnixMilli(1_800_000_000_000)
		var vehicles []*vehicle
		for i := range rapid.IntRange(0, 60).Draw(t, "n") {
			vehicles = append(vehicles, &vehicle{id: uint32(i), point: point(fmt.Sprint(i), 1, lat.Draw(t, "lat"), lon.Draw(t, "lon"))})
		}
		box := geo.Box{West: lon.Draw(t, "west"), South: lat.Draw(t, "south"), East: lon.Draw(t, "east"), North: lat.Draw(t, "north")}
		if box.South > box.North {
			box.South, box.North = box.North, box.South
		}

		// By the degrees that the map is told: they have seven decimals.
		v := viewOf(box)
		want := map[uint32]bool{}
		for _, one := range vehicles {
			if v.contains(appendVehicle(nil, one, now)) {
				want[one.id] = true
			}
		}
		got := map[uint32]bool{}
		place(vehicles, now).each(v, func(b []byte) {
			require.False(t, got[numberOf(b)], "told once")
			got[numberOf(b)] = true
		})
		require.Equal(t, want, got)

		for _, one := range vehicles {
			if at := (geo.Point{Lat: one.point.Lat, Lon: one.point.Lon}); box.Contains(at) {
				require.True(t, got[one.id], "%v in %v", at, box)
			}
		}
	})
}
