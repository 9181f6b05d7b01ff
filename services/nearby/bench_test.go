package nearby

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
)

// BenchmarkNear asks for the twenty nearest of 100,000 drivers within 5 km, as dispatch
// does for a ride.
func BenchmarkNear(b *testing.B) {
	x, rng := crowd(100_000)
	for b.Loop() {
		if len(x.near(somewhere(rng), 20, 5000)) != 20 {
			b.Fatal("the city is full of drivers")
		}
	}
}

// BenchmarkMove moves one of 100,000 drivers by some metres.
func BenchmarkMove(b *testing.B) {
	x, rng := crowd(100_000)
	for b.Loop() {
		id := fmt.Sprintf("driver-%06d", rng.IntN(100_000))
		p, _ := x.last(id)
		p.Lat += (rng.Float64() - 0.5) * 1e-4
		x.apply(p, time.Now())
	}
}

// crowd is an index with so many drivers all over the city.
func crowd(drivers int) (*index, *rand.Rand) {
	x, rng := newIndex(), rand.New(rand.NewPCG(1, 1))
	for i := range drivers {
		p := somewhere(rng)
		x.apply(event.Point{Driver: fmt.Sprintf("driver-%06d", i), Lat: p.Lat, Lon: p.Lon}, time.Now().Add(time.Hour))
	}
	return x, rng
}

func somewhere(rng *rand.Rand) geo.Point {
	return geo.Point{Lat: -34.95 + 0.15*rng.Float64(), Lon: -56.30 + 0.30*rng.Float64()}
}
