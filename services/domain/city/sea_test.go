package city

import (
	"compress/gzip"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/geo"
)

// water is the sea as the browser gets it: polygons of rings of longitude, latitude.
type water struct {
	Features []struct {
		Geometry struct {
			Coordinates [][][2]float64
		}
	}
}

func loadWater(t *testing.T) water {
	t.Helper()
	f, err := Files().Open("map/sea.json.gz")
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	var w water
	require.NoError(t, json.NewDecoder(z).Decode(&w))
	return w
}

// covers reports whether p is drawn as water, by the even-odd rule: a ring within
// another is an island.
func (w water) covers(p geo.Point) bool {
	in := false
	for _, f := range w.Features {
		for _, ring := range f.Geometry.Coordinates {
			for i := 1; i < len(ring); i++ {
				a, b := ring[i-1], ring[i]
				if (a[1] > p.Lat) != (b[1] > p.Lat) && p.Lon < a[0]+(b[0]-a[0])*(p.Lat-a[1])/(b[1]-a[1]) {
					in = !in
				}
			}
		}
	}
	return in
}

func TestTheSeaIsWhereTheSeaIs(t *testing.T) {
	sea := loadWater(t)
	for name, p := range map[string]geo.Point{
		"the bay":                      {Lat: -34.886, Lon: -56.228},
		"the bay's mouth":              {Lat: -34.9045, Lon: -56.2400},
		"the harbour":                  {Lat: -34.8990, Lon: -56.2130},
		"100 m off the Rambla":         {Lat: -34.9125, Lon: -56.2035},
		"off Pocitos' beach":           {Lat: -34.9165, Lon: -56.1440},
		"the yacht harbour of Buceo":   {Lat: -34.9080, Lon: -56.1318},
		"off Pajas Blancas":            {Lat: -34.8790, Lon: -56.3370},
		"off Carrasco":                 {Lat: -34.8960, Lon: -56.0500},
		"off the east":                 {Lat: -34.8700, Lon: -55.9900},
		"the river, far to the south":  {Lat: -34.9900, Lon: -56.1500},
		"the south-west, far from all": {Lat: -35.0000, Lon: -56.3300},
	} {
		require.True(t, sea.covers(p), "%s is water", name)
	}
	for name, p := range map[string]geo.Point{
		"Plaza Independencia":        {Lat: -34.9066, Lon: -56.1997},
		"the Cerro's fortress":       {Lat: -34.8886, Lon: -56.2596},
		"Punta Carretas' lighthouse": {Lat: -34.9345, Lon: -56.1602},
		"the airport":                {Lat: -34.8330, Lon: -56.0220},
		"Isla de la Libertad":        {Lat: -34.8882, Lon: -56.2345},
		"the north-west":             {Lat: -34.8200, Lon: -56.3370},
		"the north-east":             {Lat: -34.8200, Lon: -55.9870},
	} {
		require.False(t, sea.covers(p), "%s is dry", name)
	}
}

// Two streets lead onto piers, and two houses stand at the waterline.
func TestStreetsAndAddressesAreDry(t *testing.T) {
	c, sea := load(t), loadWater(t)
	var wet []geo.Point
	for _, n := range c.nodes {
		if sea.covers(n) {
			wet = append(wet, n)
		}
	}
	for _, s := range c.spots {
		if sea.covers(s.at) {
			wet = append(wet, s.at)
		}
	}
	require.LessOrEqual(t, len(wet), 4, "of %d nodes and %d spots: %v", len(c.nodes), len(c.spots), wet)
}
