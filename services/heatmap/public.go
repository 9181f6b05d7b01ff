package heatmap

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/golang/geo/s2"
)

const (
	floorLevel = 12 // the coarsest cells that are shown: about 2 km across
	atLeast    = 5  // distinct drivers in any area that is shown
)

// area is one piece of the public heatmap: its cell, less the finer cells in it that
// are areas too.
type area struct {
	cell    s2.CellID
	drivers int
}

// partition cuts the city into areas of which each has at least five distinct
// drivers, as fine as that allows: a finest cell that has five is an area, and what
// is left over of a coarser cell is one where it has five together. What has fewer
// in a cell of the coarsest level is not shown. So each place lies in one area at
// most, no number is shown of several together, and there is nothing to subtract.
func partition(present map[s2.CellID][]string) []area {
	floors := map[s2.CellID]map[s2.CellID][]string{}
	for c, drivers := range present {
		f := c.Parent(floorLevel)
		if floors[f] == nil {
			floors[f] = map[s2.CellID][]string{}
		}
		floors[f][c] = drivers
	}

	var out []area
	for c, within := range floors {
		areas, _ := cut(c, within)
		out = append(out, areas...)
	}

	// The order of a map is random; an answer's should not be.
	slices.SortFunc(out, func(a, b area) int { return cmp.Compare(a.cell, b.cell) })
	return out
}

// cut returns the areas within c, and who was in what is left over of it.
func cut(c s2.CellID, present map[s2.CellID][]string) (areas []area, left map[string]struct{}) {
	left = map[string]struct{}{}
	if c.Level() == level {
		for _, d := range present[c] {
			left[d] = struct{}{}
		}
	} else {
		for _, child := range c.Children() {
			within, rest := cut(child, present)
			areas = append(areas, within...)
			maps.Copy(left, rest)
		}
	}

	// A driver in two of its parts counts once: five fixes of one are not five drivers.
	if len(left) < atLeast {
		return areas, left
	}
	return append(areas, area{c, len(left)}), nil
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
