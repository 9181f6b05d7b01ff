package city

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/domain/geo"
)

func load(t testing.TB) *City {
	t.Helper()
	c, err := Load()
	require.NoError(t, err)
	return c
}

func TestLoad(t *testing.T) {
	c := load(t)
	require.Greater(t, len(c.nodes), 12_000)
	require.Greater(t, len(c.edges), 18_000)
	require.Greater(t, len(c.spots), 10_000)
	require.True(t, covers(c, geo.Point{Lat: -34.9058, Lon: -56.1913}), "the centre of Montevideo")
	require.False(t, covers(c, geo.Point{Lat: 40.7128, Lon: -74.0060}), "New York")
}

func covers(c *City, p geo.Point) bool {
	_, ok := c.snap(p)
	return ok
}

// onAStreet draws a place near a street of the city.
func onAStreet(c *City) *rapid.Generator[geo.Point] {
	return rapid.Custom(func(t *rapid.T) geo.Point {
		n := c.nodes[rapid.IntRange(0, len(c.nodes)-1).Draw(t, "node")]
		return geo.Point{Lat: n.Lat + rapid.Float64Range(-1e-3, 1e-3).Draw(t, "dlat"), Lon: n.Lon + rapid.Float64Range(-1e-3, 1e-3).Draw(t, "dlon")}
	})
}

func TestRoutesAreDrivable(t *testing.T) {
	c := load(t)
	rapid.Check(t, func(t *rapid.T) {
		from, to := onAStreet(c).Draw(t, "from"), onAStreet(c).Draw(t, "to")
		r, err := c.Route(from, to)
		require.NoError(t, err)
		require.False(t, r.Direct)
		require.GreaterOrEqual(t, len(r.Points), 2)
		require.Len(t, r.SpeedsMPS, len(r.Points)-1)
		first, last := r.Points[0], r.Points[len(r.Points)-1]
		require.Less(t, geo.Distance(from, first), 250.0, "it begins at the street beside")
		require.Less(t, geo.Distance(to, last), 250.0, "and ends there")
		length, seconds := 0.0, 0.0
		for i := 1; i < len(r.Points); i++ {
			d := geo.Distance(r.Points[i-1], r.Points[i])
			require.Less(t, d, 5_000.0, "no jump")
			length += d
			seconds += d / r.SpeedsMPS[i-1]
		}
		require.InDelta(t, length, r.DistanceM, 1)
		require.InDelta(t, seconds, r.Duration.Seconds(), 0.1)
		require.GreaterOrEqual(t, r.DistanceM+1, geo.Distance(first, last), "no way is shorter than the air's")
	})
}

func TestTravelTimesAreTheRoutesDurations(t *testing.T) {
	c := load(t)
	rapid.Check(t, func(t *rapid.T) {
		to := onAStreet(c).Draw(t, "to")
		from := rapid.SliceOfN(onAStreet(c), 1, 8).Draw(t, "from")
		for i, got := range c.TravelTimes(to, from) {
			r, err := c.Route(from[i], to)
			require.NoError(t, err)
			require.InDelta(t, r.Duration.Seconds(), got.Seconds(), 0.5)
		}
	})
}

func TestOutsideTheCityTheWayIsByAir(t *testing.T) {
	c := load(t)
	from, to := geo.Point{Lat: 40.773613, Lon: -73.951759}, geo.Point{Lat: 40.762115, Lon: -73.974525}
	r, err := c.Route(from, to)
	require.NoError(t, err)
	require.True(t, r.Direct)
	require.InDelta(t, 1.3*geo.Distance(from, to), r.DistanceM, 1)
	require.Equal(t, r.Duration, c.TravelTimes(to, []geo.Point{from})[0])
	_, err = c.Route(from, geo.Point{Lat: 91})
	require.ErrorIs(t, err, ErrPlace)
}

func TestKnownTrip(t *testing.T) {
	c := load(t)
	// From Plaza Independencia to Estadio Centenario: 3.5 to 5 km, about 8 minutes.
	r, err := c.Route(geo.Point{Lat: -34.9066, Lon: -56.1997}, geo.Point{Lat: -34.8945, Lon: -56.1528})
	require.NoError(t, err)
	require.InDelta(t, 5_200, r.DistanceM, 900)
	require.Greater(t, r.Duration, 5*time.Minute)
	require.Less(t, r.Duration, 15*time.Minute)
}

func TestNearestNamesTheStreet(t *testing.T) {
	c := load(t)
	require.NotEmpty(t, c.Nearest(geo.Point{Lat: -34.9058, Lon: -56.1913}).Label)
	require.Equal(t, "40.00000° N 73.00000° W", c.Nearest(geo.Point{Lat: 40, Lon: -73}).Label)
}

func TestTheSameSeedGivesTheSamePlaces(t *testing.T) {
	c := load(t)
	draw := func() (out []Place) {
		rng := rand.New(rand.NewPCG(7, 7))
		for range 50 {
			out = append(out, c.RandomPlace(rng, 19))
		}
		return out
	}
	first := draw()
	require.Equal(t, first, draw())
	for _, p := range first {
		require.True(t, covers(c, p.Point))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(magic))
	f.Add([]byte(magic + "\x02\x02A\x02\x02\x02\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := parse(b); err == nil {
			_, _ = c.Route(geo.Point{}, geo.Point{Lat: 1})
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		load(b)
	}
}

func BenchmarkRoute(b *testing.B) {
	c := load(b)
	rng := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		_, _ = c.Route(c.nodes[rng.IntN(len(c.nodes))], c.nodes[rng.IntN(len(c.nodes))])
	}
}
