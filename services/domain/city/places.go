package city

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"tandem/services/domain/geo"
)

// street is a named street, found by its longest edge's middle.
type street struct {
	label, folded string
	at            geo.Point
	length        float64
}

// center is Plaza Independencia, about which the city is densest.
func center() geo.Point { return geo.Point{Lat: -34.9066, Lon: -56.1997} }

func (c *City) indexPlaces() {
	c.byKind = map[string][]int{}
	c.search = make([]string, len(c.spots))
	for i, s := range c.spots {
		c.byKind[s.kind] = append(c.byKind[s.kind], i)
		c.search[i] = fold(s.label)
	}

	longest := map[int32]int{}
	for i, e := range c.edges {
		if j, ok := longest[e.name]; c.names[e.name] != "" && (!ok || e.length > c.edges[j].length) {
			longest[e.name] = i
		}
	}
	for name, i := range longest {
		points := c.edges[i].points
		c.streets = append(c.streets, street{c.names[name], fold(c.names[name]), points[len(points)/2], c.edges[i].length})
	}

	// A map has no order: sorted, so that a search returns the same each time.
	slices.SortFunc(c.streets, func(a, b street) int { return cmp.Compare(a.label, b.label) })
}

// fold takes case and accents off, so that "Cordon" finds "Cordón".
func fold(s string) string {
	out, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), s)
	if err != nil {
		out = s
	}
	return strings.ToLower(out)
}

// Search finds places whose name has a word that begins with each word of q:
// places of interest and suburbs first, then streets, then house numbers. The
// case and accents do not matter.
func (c *City) Search(q string, limit int) []Place {
	words := strings.Fields(fold(q))
	if len(words) == 0 || limit <= 0 {
		return nil
	}

	type hit struct {
		Place
		rank int
	}
	var hits []hit

	for i, s := range c.spots {
		if rank, ok := match(c.search[i], words); ok {
			if s.kind == "address" {
				rank += 4
			}
			hits = append(hits, hit{Place{s.at, s.label}, rank})
		}
	}

	for _, s := range c.streets {
		if rank, ok := match(s.folded, words); ok {
			hits = append(hits, hit{Place{s.at, s.label}, rank + 2})
		}
	}

	slices.SortStableFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(len(a.Label), len(b.Label)), cmp.Compare(a.Label, b.Label))
	})

	// Equal labels stand beside each other now: of each, the first is enough.
	var out []Place
	for _, h := range hits {
		if len(out) == limit {
			break
		}
		if len(out) == 0 || out[len(out)-1].Label != h.Label {
			out = append(out, h.Place)
		}
	}
	return out
}

// match reports whether each word begins a word of text; a text that begins with
// the first one ranks before others.
func match(text string, words []string) (rank int, ok bool) {
	for _, w := range words {
		if !strings.HasPrefix(text, w) && !strings.Contains(text, " "+w) {
			return 0, false
		}
	}
	if !strings.HasPrefix(text, words[0]) {
		rank = 1
	}
	return rank, true
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
