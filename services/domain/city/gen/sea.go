package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// The Río de la Plata counts as a river in OpenStreetMap, so its shore is not
// tagged as a coastline. Each of the shore's lines has a note that asks to leave it
// so, and no other line has that note.
const shoreNote = "tag as coastline"

const (
	joinWithin = 300    // tile units, about 3 m: how far apart the ends of two joined lines may lie
	seaSouth   = -35.02 // where the sea ends, beyond the last tile
)

// sea returns the water to the south of the shore, in tile units.
func sea(features []feature) (orb.Polygon, error) {
	shore, err := joined(shoreLines(features))
	if err != nil {
		return nil, err
	}

	// From the shore's east end down to the sea's south edge, and back to its west end.
	south := tileUnits(seaSouth, 0)[1]
	west, east := shore[0], shore[len(shore)-1]
	ring := append(orb.Ring{}, shore...)
	ring = append(ring, orb.Point{east[0], south}, orb.Point{west[0], south}, west)
	return append(orb.Polygon{ring}, islands(features, ring)...), nil
}

// islands returns the outlines of what is dry within the sea: islets and breakwaters.
func islands(features []feature, sea orb.Ring) []orb.Ring {
	var out []orb.Ring
	for _, f := range features {
		area, ok := f.geometry.(orb.Polygon)
		if !ok || f.tag("place") != "islet" && f.tag("man_made") != "breakwater" {
			continue
		}

		// One that joins the shore would cross the sea's outline, which a hole may not.
		if !slices.ContainsFunc(area[0], func(p orb.Point) bool { return !planar.RingContains(sea, p) }) {
			out = append(out, area[0])
		}
	}
	return out
}

func shoreLines(features []feature) []orb.LineString {
	var out []orb.LineString
	for _, f := range features {
		if strings.Contains(f.tag("note"), shoreNote) {
			out = append(out, lines(f.geometry)...)
		}
	}
	return out
}

// joined returns the line from west to east of which pieces are the parts. It is an
// error if a part is missing: the sea would then cover land.
func joined(pieces []orb.LineString) (orb.LineString, error) {
	if len(pieces) == 0 {
		return nil, fmt.Errorf("no line has a note with %q: the shore is not there", shoreNote)
	}

	// The one that begins the farthest to the west, at the first tile's edge.
	at := 0
	for i, l := range pieces {
		if l[0][0] < pieces[at][0][0] {
			at = i
		}
	}
	out := append(orb.LineString{}, pieces[at]...)
	used := map[int]bool{at: true}

	for len(used) < len(pieces) {
		end := out[len(out)-1]
		next := nearestStart(pieces, used, end)
		if gap := distance(end, pieces[next][0]); gap > joinWithin {
			lon, lat := degrees(end)
			return nil, fmt.Errorf("the shore has a gap of %.0f tile units at %.5f, %.5f", gap, lat, lon)
		}
		out = append(out, pieces[next][1:]...)
		used[next] = true
	}
	return out, nil
}

// nearestStart returns which unused piece begins nearest to p. A shore's lines all
// have the water on their right, so none needs to be turned round.
func nearestStart(pieces []orb.LineString, used map[int]bool, p orb.Point) int {
	best, at := math.Inf(1), 0
	for i, l := range pieces {
		if d := distance(p, l[0]); !used[i] && d < best {
			best, at = d, i
		}
	}
	return at
}

func distance(a, b orb.Point) float64 { return math.Hypot(a[0]-b[0], a[1]-b[1]) }
