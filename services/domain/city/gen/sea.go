package main

import (
	"math"

	"github.com/paulmach/orb"
)

// The sea is found on a grid. Every cell near something mapped is land. The sea is
// every cell that can be reached from the south while staying wideBerth away from
// land, extended back towards the shore.
const (
	cellSize  = 2200 // tile units, about 20 m
	wideBerth = 16   // cells: a gap between mapped things narrower than twice this is land
	shore     = 3    // cells between the last mapped thing and the water
	margin    = 60   // cells around the data, so that the sea goes past the map's edge
)

type grid struct {
	w, h   int
	x0, y0 float64
	cells  []bool
}

func (g *grid) at(x, y int) bool { return x >= 0 && y >= 0 && x < g.w && y < g.h && g.cells[y*g.w+x] }

func newGrid(b orb.Bound) *grid {
	g := &grid{x0: b.Min[0] - margin*cellSize, y0: b.Min[1]}
	g.w = int((b.Max[0]-g.x0)/cellSize) + margin
	g.h = int((b.Max[1]-g.y0)/cellSize) + 8*margin // far to the south
	g.cells = make([]bool, g.w*g.h)
	return g
}

func (g *grid) mark(p orb.Point) {
	x, y := int((p[0]-g.x0)/cellSize), int((p[1]-g.y0)/cellSize)
	if x >= 0 && y >= 0 && x < g.w && y < g.h {
		g.cells[y*g.w+x] = true
	}
}

// grown returns g with every cell set that is within r of a set one.
func (g *grid) grown(r int) *grid {
	out := &grid{g.w, g.h, g.x0, g.y0, make([]bool, len(g.cells))}
	var disc [][2]int
	for dy := -r; dy <= r; dy++ {
		for dx := -r; dx <= r; dx++ {
			if dx*dx+dy*dy <= r*r {
				disc = append(disc, [2]int{dx, dy})
			}
		}
	}

	for y := range g.h {
		for x := range g.w {
			if !g.at(x, y) {
				continue
			}

			out.cells[y*g.w+x] = true
			if g.at(x-1, y) && g.at(x+1, y) && g.at(x, y-1) && g.at(x, y+1) {
				continue // an inner cell: its neighbours set everything near it
			}

			for _, d := range disc {
				if nx, ny := x+d[0], y+d[1]; nx >= 0 && ny >= 0 && nx < g.w && ny < g.h {
					out.cells[ny*g.w+nx] = true
				}
			}
		}
	}
	return out
}

// flood returns the cells that can be reached from the south edge, or from one of
// the seeds, without crossing a set cell.
func (g *grid) flood(seeds ...orb.Point) *grid {
	out := &grid{g.w, g.h, g.x0, g.y0, make([]bool, len(g.cells))}
	var stack [][2]int
	for x := range g.w {
		stack = append(stack, [2]int{x, g.h - 1})
	}
	for _, p := range seeds {
		stack = append(stack, [2]int{int((p[0] - g.x0) / cellSize), int((p[1] - g.y0) / cellSize)})
	}

	for len(stack) > 0 {
		x, y := stack[len(stack)-1][0], stack[len(stack)-1][1]
		stack = stack[:len(stack)-1]

		if x < 0 || y < 0 || x >= g.w || y >= g.h || g.at(x, y) || out.at(x, y) {
			continue
		}

		out.cells[y*g.w+x] = true
		stack = append(stack, [2]int{x + 1, y}, [2]int{x - 1, y}, [2]int{x, y + 1}, [2]int{x, y - 1})
	}
	return out
}

// sea returns the sea as polygons, in tile units.
func sea(features []feature) []orb.Polygon {
	bound := orb.Bound{Min: orb.Point{math.Inf(1), math.Inf(1)}, Max: orb.Point{math.Inf(-1), math.Inf(-1)}}
	for _, f := range features {
		if f.tag("route") != "ferry" {
			bound = bound.Union(f.geometry.Bound())
		}
	}

	land := newGrid(bound)
	for _, f := range features {
		if f.tag("route") == "ferry" || f.tag("boundary") != "" || f.tag("natural") == "water" || f.tag("waterway") != "" || f.tag("place") == "state" || f.tag("place") == "islet" {
			continue
		}
		markGeometry(land, f.geometry)
	}

	// The bay's mouth is narrower than twice wideBerth, because of its breakwaters, so
	// the bay is a seed of its own.
	bay := tileUnits(-34.886, -56.228)
	water := land.grown(wideBerth).flood(bay).grown(wideBerth - shore)

	near := land.grown(shore)
	for i := range water.cells {
		water.cells[i] = water.cells[i] && !near.cells[i]
	}

	return water.trace()
}

// markGeometry sets every cell that the geometry's points and lines touch.
func markGeometry(g *grid, geometry orb.Geometry) {
	line := func(l orb.LineString) {
		for i := 1; i < len(l); i++ {
			steps := int(math.Hypot(l[i][0]-l[i-1][0], l[i][1]-l[i-1][1])/cellSize) + 1
			for s := range steps + 1 {
				f := float64(s) / float64(steps)
				g.mark(orb.Point{l[i-1][0] + f*(l[i][0]-l[i-1][0]), l[i-1][1] + f*(l[i][1]-l[i-1][1])})
			}
		}
	}

	switch t := geometry.(type) {
	case orb.Point:
		g.mark(t)
	case orb.LineString:
		line(t)
	case orb.MultiLineString:
		for _, l := range t {
			line(l)
		}
	case orb.Polygon:
		for _, r := range t {
			line(orb.LineString(r))
		}
	case orb.MultiPolygon:
		for _, p := range t {
			markGeometry(g, p)
		}
	}
}

// corner is where four cells meet.
type corner struct{ x, y int }

// trace returns the smoothed outlines of the set cells as polygons.
func (g *grid) trace() []orb.Polygon {
	outer, holes := g.rings(g.boundary())
	if len(outer) == 0 {
		outer, holes = holes, nil
	}

	// The holes are islands; they are all taken to lie in the largest piece of sea.
	var out []orb.Polygon
	largest := 0
	for i, r := range outer {
		out = append(out, orb.Polygon{r})
		if len(r) > len(outer[largest]) {
			largest = i
		}
	}
	if len(out) > 0 {
		out[largest] = append(out[largest], holes...)
	}
	return out
}

// boundary returns the edges between set and other cells, by the corner at which
// each begins; the set cell is on the right.
func (g *grid) boundary() map[corner][]corner {
	next := map[corner][]corner{}
	for y := range g.h {
		for x := range g.w {
			if !g.at(x, y) {
				continue
			}

			if !g.at(x, y-1) {
				next[corner{x, y}] = append(next[corner{x, y}], corner{x + 1, y})
			}
			if !g.at(x+1, y) {
				next[corner{x + 1, y}] = append(next[corner{x + 1, y}], corner{x + 1, y + 1})
			}
			if !g.at(x, y+1) {
				next[corner{x + 1, y + 1}] = append(next[corner{x + 1, y + 1}], corner{x, y + 1})
			}
			if !g.at(x-1, y) {
				next[corner{x, y + 1}] = append(next[corner{x, y + 1}], corner{x, y})
			}
		}
	}
	return next
}

// rings joins edges into closed rings, which it removes from next.
func (g *grid) rings(next map[corner][]corner) (outer, holes []orb.Ring) {
	for len(next) > 0 {
		// The first corner from the north, so that each run returns the same rings.
		var start corner
		for c := range next {
			if _, ok := next[start]; !ok || c.y < start.y || c.y == start.y && c.x < start.x {
				start = c
			}
		}

		var ring orb.Ring
		for c := start; ; {
			ring = append(ring, orb.Point{g.x0 + float64(c.x)*cellSize, g.y0 + float64(c.y)*cellSize})
			to := next[c][len(next[c])-1]
			if next[c] = next[c][:len(next[c])-1]; len(next[c]) == 0 {
				delete(next, c)
			}
			if c = to; c == start {
				break
			}
		}

		ring = smooth(append(ring, ring[0]))
		if len(ring) < 60 {
			continue // too small to draw
		}
		if ring.Orientation() == orb.CCW { // in tile units y grows to the south
			outer = append(outer, ring)
		} else {
			holes = append(holes, ring)
		}
	}
	return outer, holes
}

// smooth removes the steps of an outline: each point becomes a weighted mean of
// itself and its neighbours, six times.
func smooth(r orb.Ring) orb.Ring {
	n := len(r) - 1
	for range 6 {
		out := make(orb.Ring, n+1)
		for i := range n {
			a, b, c := r[(i+n-1)%n], r[i], r[(i+1)%n]
			out[i] = orb.Point{(a[0] + 2*b[0] + c[0]) / 4, (a[1] + 2*b[1] + c[1]) / 4}
		}
		out[n] = out[0]
		r = out
	}
	return r
}
