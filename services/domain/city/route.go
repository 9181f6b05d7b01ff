package city

import (
	"errors"
	"math"
	"time"

	"tandem/services/domain/geo"
)

// Route is a way from one place to another.
type Route struct {
	DistanceM float64
	Duration  time.Duration
	Points    []geo.Point
	SpeedsMPS []float64 // metres a second from Points[i] to Points[i+1]
	Direct    bool      // a straight line: no street lies near one of the ends
}

// ErrPlace is returned for a point that is no place on earth.
var ErrPlace = errors.New("city: latitude is -90 to 90, longitude -180 to 180")

const (
	directDetour = 1.3
	directSpeed  = 30 / 3.6 // metres a second
)

// Route returns the quickest way. It fails only for points that are no places.
func (c *City) Route(from, to geo.Point) (Route, error) {
	if !from.Valid() || !to.Valid() {
		return Route{}, ErrPlace
	}

	a, okA := c.snap(from)
	b, okB := c.snap(to)
	if !okA || !okB {
		return direct(from, to), nil
	}
	if r, ok := c.alongOneEdge(a, b); ok {
		return r, nil
	}

	// No way is quicker than a straight line at the highest speed. A* needs that
	// bound: with a higher estimate it could miss the quickest way.
	s := newSearch(c, func(node int32) float64 { return geo.Distance(c.nodes[node], b.at) / c.fastest })
	for _, e := range c.exits(a) {
		s.reach(e.node, e.cost, -1, 0)
	}

	ends := c.entries(b)
	best, last := math.Inf(1), int32(-1)
	for s.queue.Len() > 0 {
		n := s.next()
		if s.cost[n]+s.estimate(n) >= best {
			break // whatever is left cannot be quicker
		}

		for _, e := range ends {
			if e.node == n && s.cost[n]+e.cost < best {
				best, last = s.cost[n]+e.cost, n
			}
		}
		for _, arc := range c.out[n] {
			s.reach(arc.to, s.cost[n]+arc.cost, n, arc.edge)
		}
	}

	if last < 0 {
		return direct(from, to), nil // streets are strongly connected: not met in practice
	}
	return c.assemble(a, b, s, last), nil
}

func direct(from, to geo.Point) Route {
	d := geo.Distance(from, to)
	seconds := d * directDetour / directSpeed
	return Route{
		DistanceM: d * directDetour, Duration: time.Duration(seconds * float64(time.Second)), Direct: true,
		Points: []geo.Point{from, to}, SpeedsMPS: []float64{directSpeed / directDetour},
	}
}

// connection is the way between a snapped point and a node at an end of its edge.
type connection struct {
	node int32
	cost float64 // seconds
}

// exits returns the nodes that can be driven to from s.
func (c *City) exits(s snapped) []connection {
	e := c.edges[s.edge]
	out := []connection{{e.to, (e.length - s.along) / e.speed}}
	if e.both {
		out = append(out, connection{e.from, s.along / e.speed})
	}
	return out
}

// entries returns the nodes from which s can be driven to.
func (c *City) entries(s snapped) []connection {
	e := c.edges[s.edge]
	out := []connection{{e.from, s.along / e.speed}}
	if e.both {
		out = append(out, connection{e.to, (e.length - s.along) / e.speed})
	}
	return out
}
