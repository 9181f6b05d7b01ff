package city

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// How a place matches a query, the best first.
const (
	tierWhole  = iota // the query is its name: "artigas" is Bulevar General Artigas
	tierStart         // its name begins with the query
	tierHouse         // a house on a street that the query names, then on one that begins so, then any other
	tierWords  = tierHouse + 3
	tierNumber = tierWords + 1 // a house number, where none was asked for
)

// Search finds places by the words of their names, of which the query's words need
// only be beginnings; case, accents and order do not matter. A query that ends in a
// number also finds the house with the nearest number of each street. The best match
// comes first; of equal ones suburbs, sights and terminals, by how near the centre
// they are, then streets, the long ones first, then the rest.
func (c *City) Search(q string, limit int) []Place {
	words := queryWords(q)
	if limit <= 0 {
		return nil
	}

	hits := c.hits(words)
	if _, street, ok := houseNumber(words); ok && len(hits) == 0 {
		hits = c.hits(street) // no street of that name has houses: "Ciudad Vieja 500"
	}
	slices.SortFunc(hits, compareHits)

	// A street and a square may have the same name, and so may two bars: of equal
	// labels, the first is enough.
	var out []Place
	listed := map[string]bool{}
	for _, h := range hits {
		if len(out) == limit {
			break
		}
		if !listed[h.Label] {
			listed[h.Label] = true
			out = append(out, h.Place)
		}
	}
	return out
}

// hit is an entry that a query matches.
type hit struct {
	*entry
	tier   int
	weight float64 // of two hits of one tier and kind, the heavier comes first
}

func compareHits(a, b hit) int {
	return cmp.Or(
		cmp.Compare(a.tier, b.tier), cmp.Compare(a.rank, b.rank), cmp.Compare(b.weight, a.weight),
		cmp.Compare(len(a.Label), len(b.Label)), cmp.Compare(a.Label, b.Label),
		cmp.Compare(a.Lat, b.Lat), cmp.Compare(a.Lon, b.Lon),
	)
}

// hits returns everything that the words match, in no order.
func (c *City) hits(words []string) []hit {
	if len(words) == 0 {
		return nil
	}

	out := c.nearestHouses(words)
	for i := range c.findable {
		e := &c.findable[i]
		tier, ok := e.match(words)
		if ok && e.number > 0 {
			tier = tierNumber
		}
		if ok {
			out = append(out, hit{e, tier, e.weight})
		}
	}
	return out
}

// houseNumber splits words that end in a number, where any are before it.
func houseNumber(words []string) (number int, street []string, ok bool) {
	last := len(words) - 1
	if last < 1 {
		return 0, nil, false
	}
	number, err := strconv.Atoi(words[last])
	return number, words[:last], err == nil
}

// nearestHouses returns, for a query such as "18 de julio 1200", the house of each
// street that matches whose number is nearest to the one asked for. There is one
// house of each hundred, so the number itself is seldom among them.
func (c *City) nearestHouses(words []string) []hit {
	wanted, asked, ok := houseNumber(words)
	if !ok {
		return nil
	}

	nearest := map[string]hit{} // by street
	for i := range c.findable {
		e := &c.findable[i]
		if e.number == 0 {
			continue
		}
		tier, ok := e.matchStreet(asked)
		if !ok {
			continue
		}

		h := hit{e, tierHouse + min(tier, 2), -math.Abs(float64(e.number - wanted))}
		street := strings.Join(e.words[:len(e.words)-1], " ")
		if known, ok := nearest[street]; !ok || compareHits(h, known) < 0 {
			nearest[street] = h
		}
	}

	out := make([]hit, 0, len(nearest))
	for _, h := range nearest {
		out = append(out, h)
	}
	return out
}

// match reports whether each of the words begins a word of the entry's name, and
// how well the name matches.
func (e *entry) match(words []string) (tier int, ok bool) { return matchName(e.words, words) }

// matchStreet is match for the street of a house number.
func (e *entry) matchStreet(words []string) (tier int, ok bool) {
	return matchName(e.words[:len(e.words)-1], words)
}

func matchName(name, words []string) (tier int, ok bool) {
	for _, w := range words {
		if !slices.ContainsFunc(name, func(n string) bool { return strings.HasPrefix(n, w) }) {
			return 0, false
		}
	}

	core := coreOf(name)
	switch {
	case slices.Equal(name, words) || slices.Equal(core, words):
		return tierWhole, true
	case beginsWith(name, words) || beginsWith(core, words):
		return tierStart, true
	}
	return tierWords, true
}

// beginsWith reports whether name begins with the words; the last may be cut short.
func beginsWith(name, words []string) bool {
	last := len(words) - 1
	return len(name) > last && slices.Equal(name[:last], words[:last]) && strings.HasPrefix(name[last], words[last])
}
