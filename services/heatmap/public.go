package heatmap

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/golang/geo/s2"
)

const (
	floorLevel = 12 // the coarsest cells that are shown: about 2 km across
	atLeast    = 5  // distinct drivers in any area that is shown
)

// area is one piece of the public heatmap.
type area struct {
	cell    s2.CellID
	drivers int
}

// partition cuts the city into areas of which each has at least five distinct
// drivers, as fine as that allows. A cell is cut into its four only if each of
// them that anybody was in has five by itself: else what is left of the cell
// could be found by subtraction. So no two areas overlap, none contains another,
// and there is nothing to subtract. A cell of the coarsest level with fewer than
// five is not shown.
func partition(present map[s2.CellID][]string) []area {
	floors := map[s2.CellID]bool{}
	for c := range present {
		floors[c.Parent(floorLevel)] = true
	}

	within := levels(present)
	var out []area
	for c := range floors {
		if len(within[c]) >= atLeast {
			out = append(out, cut(c, within)...)
		}
	}

	// The order of a map is random; an answer's should not be.
	slices.SortFunc(out, func(a, b area) int { return cmp.Compare(a.cell, b.cell) })
	return out
}

// levels returns the distinct drivers of every cell from the coarsest level to
// the finest.
func levels(present map[s2.CellID][]string) map[s2.CellID]map[string]struct{} {
	out := map[s2.CellID]map[string]struct{}{}
	for c, drivers := range present {
		for l := floorLevel; l <= level; l++ {
			p := c.Parent(l)
			if out[p] == nil {
				out[p] = map[string]struct{}{}
			}
			for _, d := range drivers {
				out[p][d] = struct{}{}
			}
		}
	}

	return out
}

// cut returns c, or the areas that it can be cut into.
func cut(c s2.CellID, within map[s2.CellID]map[string]struct{}) []area {
	whole := []area{{c, len(within[c])}}
	if c.Level() == level {
		return whole
	}

	var out []area
	for _, child := range c.Children() {
		switch n := len(within[child]); {
		case n == 0:
		case n < atLeast:
			return whole // this child's few drivers would be the whole less its other parts
		default:
			out = append(out, cut(child, within)...)
		}
	}

	return out
}

// class is what is shown of a number of drivers: 5-9, 10-19, 20-49, 50-99, 100+.
func class(drivers int) string {
	bounds := []int{atLeast, 10, 20, 50, 100}
	for i := len(bounds) - 1; i >= 0; i-- {
		if drivers < bounds[i] {
			continue
		}
		if i == len(bounds)-1 {
			return fmt.Sprintf("%d+", bounds[i])
		}
		return fmt.Sprintf("%d-%d", bounds[i], bounds[i+1]-1)
	}

	return ""
}

// corners returns a cell's four corners, as latitude and longitude.
func corners(id s2.CellID) [4][2]float64 {
	var out [4][2]float64
	cell := s2.CellFromCellID(id)
	for i := range out {
		ll := s2.LatLngFromPoint(cell.Vertex(i))
		out[i] = [2]float64{ll.Lat.Degrees(), ll.Lng.Degrees()}
	}

	return out
}
