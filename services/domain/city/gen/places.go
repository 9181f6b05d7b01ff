package main

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/paulmach/orb"
)

// spot is something that a person can search for or want to go to.
type spot struct {
	label, kind string
	at          vertex
}

// places returns suburbs, points of interest, and one house number of each hundred
// of a street, which is enough to find a block.
func places(features []feature) []spot {
	var out []spot
	blocks := map[string]bool{}
	seen := map[string]bool{}

	for _, f := range features {
		p, ok := center(f.geometry)
		if !ok {
			continue
		}

		name := f.tag("name")
		switch {
		case f.tag("addr:housenumber") != "" && f.tag("addr:street") != "" && name == "":
			number, err := strconv.Atoi(f.tag("addr:housenumber"))
			if err != nil {
				continue
			}

			street := f.tag("addr:street")
			block := street + "/" + strconv.Itoa(number/100)
			if !blocks[block] {
				blocks[block] = true
				out = append(out, spot{street + " " + strconv.Itoa(number), "address", snapped(p)})
			}
		case name != "" && kindOf(f) != "":
			if key := name + "/" + kindOf(f); !seen[key] {
				seen[key] = true
				out = append(out, spot{name, kindOf(f), snapped(p)})
			}
		}
	}

	// Neighbours stand together, so that encode's differences stay small.
	slices.SortFunc(out, func(a, b spot) int {
		return cmp.Or(cmp.Compare(a.at.y>>9, b.at.y>>9), cmp.Compare(a.at.x, b.at.x), cmp.Compare(a.label, b.label))
	})
	return out
}

// kindOf returns why people go there, or "".
func kindOf(f feature) string {
	switch f.tag("place") {
	case "suburb", "neighbourhood", "city", "town", "hamlet":
		return "suburb"
	case "square":
		return "sight"
	}

	switch f.tag("amenity") {
	case "bar", "pub", "nightclub", "restaurant", "cafe", "theatre", "cinema":
		return "evening"
	case "hospital", "clinic", "university", "school", "college", "townhall", "courthouse", "bank":
		return "day"
	case "bus_station":
		return "terminal"
	}

	if f.tag("aeroway") == "terminal" || f.tag("public_transport") == "station" {
		return "terminal"
	}

	switch f.tag("tourism") {
	case "hotel", "hostel", "museum", "attraction", "viewpoint":
		return "sight"
	}

	if f.tag("shop") == "mall" || f.tag("shop") == "supermarket" {
		return "day"
	}

	switch f.tag("leisure") {
	case "stadium", "park":
		return "sight"
	}
	return ""
}

// center returns a point for a place; a line has none.
func center(g orb.Geometry) (orb.Point, bool) {
	switch g := g.(type) {
	case orb.Point:
		return g, true
	case orb.Polygon, orb.MultiPolygon:
		return g.Bound().Center(), true
	}
	return orb.Point{}, false
}
