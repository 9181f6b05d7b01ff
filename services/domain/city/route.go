package city

import (
	"container/heap"
	"errors"
	"math"
	"slices"
	"time"

	"tandem/services/domain/geo"
)

// Route is a way from one place to another.
type Route struct {
	DistanceM float64
	Duration  time.Duration
	Points    []geo.Point
	SpeedsMPS []float64 // metres a second from Points[i] to Points[i+1]
	Direct    bool      // by air: no street lies near one of the ends
}

// ErrPlace is returned for a point that is no place on earth.
var ErrPlace = errors.New("city: latitude is -90 to 90, longitude -180 to 180")

const (
	directDetour = 1.3
	directSpeed  = 30 / 3.6 // metres a second
)

// Route gives the quickest way. It fails only for points that are no places.
func (c *City) Route(from, to geo.Point) (Route, error) {
	if !from.Valid() || !to.Valid() || math.IsNaN(from.Lat+from.Lon+to.Lat+to.Lon) {
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
	s := newSearch(c, func(node int32) float64 { return geo.Distance(c.nodes[node], b.at) / c.fastest })
	for _, l := range c.leave(a) {
		s.reach(l.node, l.cost, -1, 0)
	}
	ends := c.arrive(b)
	best, last := math.Inf(1), int32(-1)
	for s.queue.Len() > 0 {
		n := s.next()
		if s.cost[n]+geo.Distance(c.nodes[n], b.at)/c.fastest >= best {
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

// stub is the way between a footing and a node at an end of its edge.
type stub struct {
	node int32
	cost float64 // seconds
}

// leave gives the nodes that can be driven to from f.
func (c *City) leave(f footing) []stub {
	e := c.edges[f.edge]
	out := []stub{{e.to, (e.length - f.along) / e.speed}}
	if e.both {
		out = append(out, stub{e.from, f.along / e.speed})
	}
	return out
}

// arrive gives the nodes from which f can be driven to.
func (c *City) arrive(f footing) []stub {
	e := c.edges[f.edge]
	out := []stub{{e.from, f.along / e.speed}}
	if e.both {
		out = append(out, stub{e.to, (e.length - f.along) / e.speed})
	}
	return out
}

// alongOneEdge is the way between two places of one street, where that is
// allowed.
func (c *City) alongOneEdge(a, b footing) (Route, bool) {
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

// between gives the points of an edge strictly between two places of it.
func between(points []geo.Point, a, b footing) []geo.Point {
	if a.along <= b.along {
		return points[a.leg+1 : max(b.leg+1, a.leg+1)]
	}
	back := slices.Clone(points[b.leg+1 : max(a.leg+1, b.leg+1)])
	slices.Reverse(back)
	return back
}

// assemble walks the search back from the last node and joins the pieces.
func (c *City) assemble(a, b footing, s *search, last int32) Route {
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
		if e.to != n || e.from == n {
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

// tail gives the points of f's edge from f to the node at one of its ends.
func (c *City) tail(f footing, node int32) []geo.Point {
	e := c.edges[f.edge]
	if node == e.to && (node != e.from || !e.both) {
		return slices.Clone(e.points[f.leg+1:])
	}
	out := slices.Clone(e.points[:f.leg+1])
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
	if d < 0.05 {
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

// TravelTimes gives how long it takes from each place to to, by one search
// backwards from it. The same as Route's Duration for each pair.
func (c *City) TravelTimes(to geo.Point, from []geo.Point) []time.Duration {
	out := make([]time.Duration, len(from))
	b, okB := c.snap(to)
	starts := make([]footing, len(from))
	wanted := map[int32]bool{} // nodes whose cost is needed
	for i, p := range from {
		f, ok := c.snap(p)
		starts[i] = f
		if !ok || !okB {
			out[i] = direct(p, to).Duration
			starts[i].edge = -1
			continue
		}
		if r, ok := c.alongOneEdge(f, b); ok {
			out[i] = r.Duration
			starts[i].edge = -1
			continue
		}
		for _, l := range c.leave(f) {
			wanted[l.node] = true
		}
	}
	if len(wanted) == 0 {
		return out
	}
	s := newSearch(c, func(int32) float64 { return 0 })
	for _, e := range c.arrive(b) {
		s.reach(e.node, e.cost, -1, 0)
	}
	for left := len(wanted); s.queue.Len() > 0 && left > 0; {
		n := s.next()
		if wanted[n] {
			left--
		}
		for _, arc := range c.in[n] {
			s.reach(arc.to, s.cost[n]+arc.cost, n, arc.edge)
		}
	}
	for i, f := range starts {
		if f.edge < 0 {
			continue
		}
		best := math.Inf(1)
		for _, l := range c.leave(f) {
			best = min(best, l.cost+s.cost[l.node])
		}
		if math.IsInf(best, 1) {
			out[i] = direct(from[i], to).Duration
			continue
		}
		out[i] = time.Duration(best * float64(time.Second))
	}
	return out
}

// search is one run of A* (Dijkstra where estimate is 0).
type search struct {
	estimate func(node int32) float64
	cost     []float64
	from     []int32 // the node before, -1 at the start
	via      []int32 // the edge that led here
	done     []bool
	queue    nodeQueue
}

func newSearch(c *City, estimate func(int32) float64) *search {
	s := &search{
		estimate: estimate, cost: make([]float64, len(c.nodes)),
		from: make([]int32, len(c.nodes)), via: make([]int32, len(c.nodes)), done: make([]bool, len(c.nodes)),
	}
	for i := range s.cost {
		s.cost[i] = math.Inf(1)
	}
	return s
}

func (s *search) reach(n int32, cost float64, from, via int32) {
	if s.done[n] || cost >= s.cost[n] {
		return
	}
	s.cost[n], s.from[n], s.via[n] = cost, from, via
	heap.Push(&s.queue, queued{n, cost + s.estimate(n)})
}

// next takes the most promising node that was not settled yet; the queue is
// not empty. A node may be queued more than once: the later ones are skipped.
func (s *search) next() int32 {
	for {
		q, _ := heap.Pop(&s.queue).(queued)
		if !s.done[q.node] || s.queue.Len() == 0 {
			s.done[q.node] = true
			return q.node
		}
	}
}

type queued struct {
	node int32
	rank float64
}

type nodeQueue []queued

func (q nodeQueue) Len() int           { return len(q) }
func (q nodeQueue) Less(i, j int) bool { return q[i].rank < q[j].rank }
func (q nodeQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *nodeQueue) Push(x any)        { n, _ := x.(queued); *q = append(*q, n) }
func (q *nodeQueue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}
