// Package areas shows where people were, or asked to go from, without showing one of
// them: a place is counted in one area alone, and each area has at least five distinct
// people. It is safe for concurrent use.
//
// That hides one among five in one answer. Who shows several has to see to it that they
// are of spans that do not overlap, and that a span's answer stays as it was first made:
// or the difference of two shows who came in between. It does not hide somebody from the
// four others: who brings four people to a place sees whether there was a fifth.
package areas

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/golang/geo/s2"
)

// Levels of S2 cells, and what an area has at least.
const (
	Level      = 15 // of the finest cells: about 280 m across
	FloorLevel = 12 // the coarsest cells that are shown: about 2 km across
	AtLeast    = 5  // distinct people in any area that is shown
)

// Area is one piece of a map: its cell, less the finer cells in it that are areas too.
type Area struct {
	Cell   s2.CellID
	People int // distinct
}

// Partition cuts the city into areas of which each has at least five distinct people,
// as fine as that allows; present says who was in which cell of Level. A finest cell that
// has five is an area, and what is left over of a coarser cell is one where it has five
// together. What has fewer in a cell of the coarsest level is not shown. So each place
// lies in one area at most, no number is shown of several together, and there is nothing
// to subtract.
func Partition(present map[s2.CellID][]string) []Area {
	floors := map[s2.CellID]map[s2.CellID][]string{}
	for c, who := range present {
		f := c.Parent(FloorLevel)
		if floors[f] == nil {
			floors[f] = map[s2.CellID][]string{}
		}
		floors[f][c] = who
	}

	var out []Area
	for c, within := range floors {
		cuts, _ := cut(c, within)
		out = append(out, cuts...)
	}

	// The order of a map is random; an answer's should not be.
	slices.SortFunc(out, func(a, b Area) int { return cmp.Compare(a.Cell, b.Cell) })
	return out
}

// cut returns the areas within c, and who was in what is left over of it.
func cut(c s2.CellID, present map[s2.CellID][]string) (out []Area, left map[string]struct{}) {
	left = map[string]struct{}{}
	if c.Level() == Level {
		for _, p := range present[c] {
			left[p] = struct{}{}
		}
	} else {
		for _, child := range c.Children() {
			within, rest := cut(child, present)
			out = append(out, within...)
			maps.Copy(left, rest)
		}
	}

	// Whoever is in two of its parts counts once: five places of one are not five people.
	if len(left) < AtLeast {
		return out, left
	}
	return append(out, Area{c, len(left)}), nil
}

// Class is what is shown of a number of people: 5-9, 10-19, 20-49, 50-99, 100+; of fewer
// than five it is empty.
func Class(people int) string {
	bounds := []int{AtLeast, 10, 20, 50, 100}
	for i := len(bounds) - 1; i >= 0; i-- {
		if people < bounds[i] {
			continue
		}
		if i == len(bounds)-1 {
			return fmt.Sprintf("%d+", bounds[i])
		}
		return fmt.Sprintf("%d-%d", bounds[i], bounds[i+1]-1)
	}

	return ""
}

// Shown is an area as everybody may see it.
type Shown struct {
	Cell    string        `json:"cell"` // the S2 cell's token
	Level   int           `json:"level"`
	Class   string        `json:"class"` // of distinct people
	Corners [4][2]float64 `json:"corners"`
}

// Show returns what is shown of an area with a cell and a class.
func Show(id s2.CellID, class string) Shown {
	return Shown{Cell: id.ToToken(), Level: id.Level(), Class: class, Corners: Corners(id)}
}

// Corners returns a cell's four corners, as latitude and longitude in degrees.
func Corners(id s2.CellID) [4][2]float64 {
	var out [4][2]float64
	cell := s2.CellFromCellID(id)
	for i := range out {
		ll := s2.LatLngFromPoint(cell.Vertex(i))
		out[i] = [2]float64{ll.Lat.Degrees(), ll.Lng.Degrees()}
	}

	return out
}
