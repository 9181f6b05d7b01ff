package city

import (
	"math"
	"math/rand/v2"
	"strconv"

	"tandem/services/domain/geo"
)

// center is Plaza Independencia, about which the city is densest.
func center() geo.Point { return geo.Point{Lat: -34.9066, Lon: -56.1997} }

func (c *City) indexPlaces() {
	c.byKind = map[string][]int{}
	for i, s := range c.spots {
		c.byKind[s.kind] = append(c.byKind[s.kind], i)
	}
	c.indexEntries()
}

// nearestWithin is how far a street may be to name a place after it, in metres.
const nearestWithin = 250

// Nearest names where p is: the nearest named street, or the coordinates where
// there is none.
func (c *City) Nearest(p geo.Point) Place {
	best, label := math.Inf(1), ""
	c.eachNear(p, nearestWithin, func(e int32) {
		name := c.names[c.edges[e].name]
		if name == "" {
			return
		}
		if s := c.project(p, e); s.distance < best {
			best, label = s.distance, name
		}
	})

	if label == "" {
		label = formatPoint(p)
	}
	return Place{p, label}
}

func formatPoint(p geo.Point) string {
	ns, ew := "N", "E"
	if p.Lat < 0 {
		ns = "S"
	}
	if p.Lon < 0 {
		ew = "W"
	}
	return trimmed(math.Abs(p.Lat)) + "° " + ns + " " + trimmed(math.Abs(p.Lon)) + "° " + ew
}

// RandomPlace returns a place on a street where somebody may want to be at that
// hour (0 to 23): bars and restaurants in the evening, offices and hospitals by
// day, homes at all times, and more of everything near the centre. The same
// state of rng returns the same place.
func (c *City) RandomPlace(rng *rand.Rand, hour int) Place {
	kinds := []string{"address", "address", "day", "sight", "suburb"}
	if hour >= 19 || hour < 4 {
		kinds = []string{"address", "address", "evening", "evening", "suburb"}
	} else if hour >= 7 && hour < 10 {
		kinds = []string{"address", "address", "address", "day", "terminal"}
	}

	var s spot
	for range 30 {
		list := c.byKind[kinds[rng.IntN(len(kinds))]]
		if len(list) == 0 {
			continue
		}
		s = c.spots[list[rng.IntN(len(list))]]

		// The farther from the centre, the more likely another is drawn; after 30
		// the last one is taken.
		if rng.Float64() < math.Exp(-geo.Distance(center(), s.at)/5_000) {
			break
		}
	}

	if on, ok := c.snap(s.at); ok {
		return Place{on.at, s.label}
	}
	return Place{s.at, s.label}
}

func trimmed(x float64) string { return strconv.FormatFloat(x, 'f', 5, 64) }
