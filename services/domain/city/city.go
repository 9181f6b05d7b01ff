package city

import (
	"math"

	"github.com/tidwall/rtree"

	"tandem/services/domain/geo"
)

// City is the streets and places of Montevideo. It never changes, so it is safe
// for concurrent use.
type City struct {
	names []string
	nodes []geo.Point
	edges []edge
	spots []spot

	out, in  [][]arc // by node: arcs that leave it, arcs that reach it
	near     rtree.RTreeG[int32]
	fastest  float64 // metres a second, the bound that A* needs
	byKind   map[string][]int
	findable []entry
}

// edge is a street between two nodes.
type edge struct {
	from, to int32
	speed    float64 // metres a second
	length   float64 // metres
	both     bool
	name     int32
	points   []geo.Point // from the one node to the other
}

// arc is an edge in one direction.
type arc struct {
	edge    int32
	to      int32 // the node at the other end
	reverse bool
	cost    float64 // seconds
}

type spot struct {
	label, kind string
	at          geo.Point
}

// Place is a point with a name that a person would use.
type Place struct {
	geo.Point
	Label string `json:"label"`
}

func (c *City) index() {
	c.out, c.in = make([][]arc, len(c.nodes)), make([][]arc, len(c.nodes))
	for i, e := range c.edges {
		cost := e.length / e.speed
		c.join(e.from, e.to, arc{edge: int32(i), cost: cost})
		if e.both {
			c.join(e.to, e.from, arc{edge: int32(i), cost: cost, reverse: true})
		}
		c.fastest = max(c.fastest, e.speed)

		lo, hi := [2]float64{180, 90}, [2]float64{-180, -90}
		for _, p := range e.points {
			lo[0], lo[1] = min(lo[0], p.Lon), min(lo[1], p.Lat)
			hi[0], hi[1] = max(hi[0], p.Lon), max(hi[1], p.Lat)
		}
		c.near.Insert(lo, hi, int32(i))
	}
	c.indexPlaces()
}

func (c *City) join(from, to int32, a arc) {
	a.to = to
	c.out[from] = append(c.out[from], a)
	a.to = from
	c.in[to] = append(c.in[to], a)
}

// snapWithin is how far from a street an end of a route may lie, in metres.
const snapWithin = 600

// snapped is a point that was moved to the nearest street.
type snapped struct {
	edge     int32
	leg      int // it lies between points[leg] and points[leg+1]
	at       geo.Point
	along    float64 // metres from the edge's start
	distance float64 // metres from where it was asked for
}

// snap returns the point of the nearest street. Most points lie beside one, so it
// looks in a small box first: a large one has many edges.
func (c *City) snap(p geo.Point) (best snapped, ok bool) {
	if !p.Valid() {
		return best, false
	}
	for _, radius := range []float64{60, 200, snapWithin} {
		best.distance = radius // only what is nearer counts: the box has corners beyond

		c.eachNear(p, radius, func(e int32) {
			if s := c.project(p, e); s.distance < best.distance {
				best, ok = s, true
			}
		})
		if ok {
			return best, true
		}
	}
	return best, false
}

// eachNear calls visit with every edge within metres of p, and some beyond.
func (c *City) eachNear(p geo.Point, metres float64, visit func(edge int32)) {
	b := geo.Around(p, metres)
	c.near.Search([2]float64{b.West, b.South}, [2]float64{b.East, b.North}, func(_, _ [2]float64, e int32) bool {
		visit(e)
		return true
	})
}

// project returns the point of an edge that is nearest to p. The earth is flat
// here: over a street's length that errs by less than the map does.
func (c *City) project(p geo.Point, e int32) snapped {
	best := snapped{edge: e, distance: math.Inf(1)}
	scale := math.Cos(p.Lat * math.Pi / 180) // a degree of longitude in degrees of latitude
	along := 0.0
	points := c.edges[e].points

	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		dx, dy := (b.Lon-a.Lon)*scale, b.Lat-a.Lat
		t := 0.0
		if l := dx*dx + dy*dy; l > 0 {
			t = min(max(((p.Lon-a.Lon)*scale*dx+(p.Lat-a.Lat)*dy)/l, 0), 1)
		}

		at := geo.Interpolate(a, b, t)
		leg := geo.Distance(a, b)
		if d := geo.Distance(p, at); d < best.distance {
			best.leg, best.at, best.along, best.distance = i-1, at, along+t*leg, d
		}
		along += leg
	}
	return best
}
