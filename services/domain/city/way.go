package city

import (
	"slices"
	"time"

	"tandem/services/domain/geo"
)

// alongOneEdge is the way between two places of one street, where that is
// allowed.
func (c *City) alongOneEdge(a, b snapped) (Route, bool) {
	e := c.edges[a.edge]
	if a.edge != b.edge || a.along > b.along && !e.both {
		return Route{}, false
	}

	var w wayBuilder
	w.add(a.at, e.speed)
	w.addAll(between(e.points, a, b), e.speed)
	w.add(b.at, e.speed)
	return w.route(), true
}

// between returns the points of an edge strictly between two places of it.
func between(points []geo.Point, a, b snapped) []geo.Point {
	if a.along <= b.along {
		return points[a.leg+1 : max(b.leg+1, a.leg+1)]
	}
	back := slices.Clone(points[b.leg+1 : max(a.leg+1, b.leg+1)])
	slices.Reverse(back)
	return back
}

// assemble walks the search back from the last node and joins the pieces.
func (c *City) assemble(a, b snapped, s *search, last int32) Route {
	path := []int32{last}
	for n := last; s.from[n] >= 0; n = s.from[n] {
		path = append(path, s.from[n])
	}
	slices.Reverse(path)

	var w wayBuilder
	start, end := c.edges[a.edge], c.edges[b.edge]
	w.add(a.at, start.speed)
	w.addAll(c.tail(a, path[0]), start.speed)

	for _, n := range path[1:] {
		e := c.edges[s.via[n]]
		points := e.points
		if e.to != n || e.from == n { // it was driven against the order of its points
			points = slices.Clone(points)
			slices.Reverse(points)
		}
		w.addAll(points, e.speed)
	}

	back := c.tail(b, path[len(path)-1])
	slices.Reverse(back)
	w.addAll(back, end.speed)
	w.add(b.at, end.speed)
	return w.route()
}

// tail returns the points of s's edge from s to the node at one of its ends.
func (c *City) tail(s snapped, node int32) []geo.Point {
	e := c.edges[s.edge]
	if node == e.to && (node != e.from || !e.both) {
		return slices.Clone(e.points[s.leg+1:])
	}
	out := slices.Clone(e.points[:s.leg+1])
	slices.Reverse(out)
	return out
}

// wayBuilder joins points, leaving out repeats.
type wayBuilder struct{ r Route }

func (w *wayBuilder) add(p geo.Point, speed float64) {
	n := len(w.r.Points)
	if n == 0 {
		w.r.Points = append(w.r.Points, p)
		return
	}
	d := geo.Distance(w.r.Points[n-1], p)
	if d < 0.05 { // metres: the same node, which both of its edges have
		return
	}

	w.r.Points = append(w.r.Points, p)
	w.r.SpeedsMPS = append(w.r.SpeedsMPS, speed)
	w.r.DistanceM += d
	w.r.Duration += time.Duration(d / speed * float64(time.Second))
}

func (w *wayBuilder) addAll(points []geo.Point, speed float64) {
	for _, p := range points {
		w.add(p, speed)
	}
}

func (w *wayBuilder) route() Route {
	if len(w.r.Points) == 1 { // both ends are the same place
		w.r.Points = append(w.r.Points, w.r.Points[0])
		w.r.SpeedsMPS = []float64{directSpeed}
	}
	return w.r
}
