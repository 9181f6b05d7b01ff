package city

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"tandem/services/domain/geo"
)

// entry is something that Search finds: a spot or a street.
type entry struct {
	Place
	words  []string // of the label, folded
	rank   int      // of two that match equally well, the lower one comes first
	weight float64  // within a rank, the higher one comes first
	number int      // a house's; 0 for whatever is no house
}

// The order of what matches a query equally well.
const (
	rankSight = iota // suburbs and terminals as well
	rankStreet
	rankDay
	rankEvening
	rankHouse
)

func (c *City) indexEntries() {
	for _, s := range c.spots {
		e := entry{Place: Place{s.at, s.label}, words: nameWords(s.label), weight: -geo.Distance(center(), s.at)}
		switch s.kind {
		case "address":
			e.rank = rankHouse
			e.number, _ = strconv.Atoi(e.words[len(e.words)-1]) // gen wrote it there
		case "day":
			e.rank = rankDay
		case "evening":
			e.rank = rankEvening
		}
		c.findable = append(c.findable, e)
	}

	c.findable = append(c.findable, c.streetEntries()...)
}

// streetEntries returns the named streets. Each lies where its longest edge does, and
// weighs as much as it is long.
func (c *City) streetEntries() []entry {
	longest, total := map[int32]int{}, map[int32]float64{}
	for i, e := range c.edges {
		if c.names[e.name] == "" {
			continue
		}
		total[e.name] += e.length
		if j, ok := longest[e.name]; !ok || e.length > c.edges[j].length {
			longest[e.name] = i
		}
	}

	var out []entry
	for name, i := range longest {
		points := c.edges[i].points
		label := c.names[name]
		out = append(out, entry{
			Place: Place{points[len(points)/2], label}, words: nameWords(label), rank: rankStreet, weight: total[name],
		})
	}
	return out
}

// nameWords returns the words of a name without case, accents and punctuation, so
// that "Cordon" finds "Cordón".
func nameWords(s string) []string {
	plain, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), s)
	if err != nil {
		plain = s
	}
	return strings.FieldsFunc(strings.ToLower(plain), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// queryWords is nameWords for what a person typed: abbreviations are written out, and
// "calle" is left out, which hardly any street has in its name here.
func queryWords(q string) []string {
	words := nameWords(q)
	for i, w := range words {
		switch w {
		case "avda":
			words[i] = "avenida"
		case "bvar", "bulevard", "boulevard":
			words[i] = "bulevar"
		case "gral":
			words[i] = "general"
		case "dr", "dra":
			words[i] = "doctor"
		}
	}
	if len(words) > 1 && words[0] == "calle" {
		words = words[1:]
	}
	return words
}

// generic are the words at the start of a name by which people seldom call a place:
// Avenida 18 de Julio, Bulevar General Artigas, Estadio Centenario.
func generic() []string {
	return []string{
		"avenida", "bulevar", "calle", "camino", "pasaje", "rambla", "plaza", "plazuela", "parque",
		"general", "doctor", "coronel", "capitan", "ingeniero", "arquitecto", "presidente",
		"estadio", "terminal", "shopping", "hospital", "teatro", "museo", "mercado", "palacio", "barrio",
	}
}

// coreOf returns a name without the generic words that it begins with.
func coreOf(name []string) []string {
	for len(name) > 1 && slices.Contains(generic(), name[0]) {
		name = name[1:]
	}
	return name
}
