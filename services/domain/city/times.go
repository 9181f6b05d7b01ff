package city

import (
	"math"
	"time"

	"tandem/services/domain/geo"
)

// TravelTimes returns how long it takes from each place to to: the same as
// Route's Duration for each pair, by one search backwards from to instead of one
// for each place.
func (c *City) TravelTimes(to geo.Point, from []geo.Point) []time.Duration {
	out := make([]time.Duration, len(from))
	end, okEnd := c.snap(to)
	starts := map[int]snapped{} // those of from that need the search
	wanted := map[int32]bool{}  // nodes whose cost they need
	for i, p := range from {
		start, ok := c.snap(p)
		if !ok || !okEnd {
			out[i] = direct(p, to).Duration
			continue
		}
		if r, ok := c.alongOneEdge(start, end); ok {
			out[i] = r.Duration
			continue
		}

		starts[i] = start
		for _, e := range c.exits(start) {
			wanted[e.node] = true
		}
	}

	cost := c.costsTo(end, wanted)
	for i, start := range starts {
		best := math.Inf(1)
		for _, e := range c.exits(start) {
			best = min(best, e.cost+cost[e.node])
		}
		if math.IsInf(best, 1) {
			out[i] = direct(from[i], to).Duration
			continue
		}
		out[i] = time.Duration(best * float64(time.Second))
	}
	return out
}

// costsTo returns the seconds from each wanted node to end; of other nodes, a
// bound or infinity.
func (c *City) costsTo(end snapped, wanted map[int32]bool) []float64 {
	if len(wanted) == 0 {
		return nil
	}

	// Without an estimate the search settles nodes by their cost: it may stop as
	// soon as every wanted node is settled.
	s := newSearch(c, func(int32) float64 { return 0 })
	for _, e := range c.entries(end) {
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
	return s.cost
}
