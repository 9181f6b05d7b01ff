package geo_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/domain/geo"
)

func anywhere() *rapid.Generator[geo.Point] {
	return rapid.Custom(func(t *rapid.T) geo.Point {
		return geo.Point{Lat: rapid.Float64Range(-85, 85).Draw(t, "lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "lon")}
	})
}

func TestKnownDistancesAndBearings(t *testing.T) {
	montevideo, buenosAires := geo.Point{Lat: -34.9011, Lon: -56.1645}, geo.Point{Lat: -34.6037, Lon: -58.3816}
	require.InDelta(t, 205_000, geo.Distance(montevideo, buenosAires), 2_000)
	for _, tc := range []struct {
		to   geo.Point
		want float64
	}{{geo.Point{Lat: 1}, 0}, {geo.Point{Lon: 1}, 90}, {geo.Point{Lat: -1}, 180}, {geo.Point{Lon: -1}, 270}} {
		require.InDelta(t, tc.want, geo.Bearing(geo.Point{}, tc.to), 1e-9)
	}
	require.False(t, geo.Point{Lat: math.NaN()}.Valid())
	require.False(t, geo.Point{Lat: 90.1}.Valid())
	require.False(t, geo.Point{Lon: math.Inf(1)}.Valid())
}

func TestDistanceIsAMetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anywhere().Draw(t, "a"), anywhere().Draw(t, "b"), anywhere().Draw(t, "c")
		require.InDelta(t, geo.Distance(a, b), geo.Distance(b, a), 1e-6)
		require.LessOrEqual(t, geo.Distance(a, c), geo.Distance(a, b)+geo.Distance(b, c)+1e-6)
		require.GreaterOrEqual(t, geo.Bearing(a, b), 0.0)
		require.Less(t, geo.Bearing(a, b), 360.0)
	})
}

func TestAroundHoldsWhatIsNearAndInterpolateStaysBetween(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anywhere().Draw(t, "a")
		metres := rapid.Float64Range(1, 20_000).Draw(t, "metres")
		box := geo.Around(a, metres)
		b := geo.Point{Lat: a.Lat + rapid.Float64Range(-0.2, 0.2).Draw(t, "dlat"), Lon: a.Lon}
		if b.Valid() && geo.Distance(a, b) <= metres {
			require.True(t, box.Contains(b))
		}
		far := geo.Point{Lat: a.Lat + rapid.Float64Range(-0.05, 0.05).Draw(t, "flat"), Lon: a.Lon}
		half := geo.Interpolate(a, far, 0.5)
		require.InDelta(t, geo.Distance(a, far)/2, geo.Distance(a, half), 0.01)
	})
}
