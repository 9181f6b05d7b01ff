package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// snap is the grid to which vertices are rounded, in tile units (about 9 mm here).
// The two halves of a way that was cut at a tile's edge may differ by a unit or
// two; on the grid their ends are the same vertex.
const snap = 32

type vertex struct{ x, y int64 }

func snapped(p orb.Point) vertex {
	return vertex{int64(math.Round(p[0] / snap)), int64(math.Round(p[1] / snap))}
}

func (v vertex) degreesE6() (lat, lon int64) {
	lo, la := degrees(orb.Point{float64(v.x) * snap, float64(v.y) * snap})
	return int64(math.Round(la * 1e6)), int64(math.Round(lo * 1e6))
}

// way is a stretch of street for cars.
type way struct {
	points  []vertex
	speed   int // km/h that a car really reaches
	forward bool
	both    bool
	name    string
}

// classSpeed returns the speed that cars reach on a class of street, with lights
// and corners, and whether cars may use it.
func classSpeed(class string) (kmh int, ok bool) {
	speeds := map[string]int{
		"motorway": 80, "trunk": 60, "primary": 42, "secondary": 38, "tertiary": 34,
		"residential": 27, "unclassified": 30, "living_street": 15, "service": 14,
	}
	kmh, ok = speeds[strings.TrimSuffix(class, "_link")]
	return kmh, ok
}

// toWay returns the way along l, and whether cars may use it.
func toWay(f feature, l orb.LineString) (way, bool) {
	kmh, ok := classSpeed(f.tag("highway"))
	if !ok || f.tag("access") == "private" || f.tag("access") == "no" || len(l) < 2 {
		return way{}, false
	}

	if limit, err := strconv.Atoi(f.tag("maxspeed")); err == nil && limit >= 10 {
		kmh = min(kmh, limit)
	}

	w := way{speed: kmh, name: f.tag("name"), both: true, forward: true}

	switch f.tag("oneway") {
	case "yes", "true", "1":
		w.both = false
	case "-1":
		w.both, w.forward = false, false
	}

	if f.tag("junction") == "roundabout" {
		w.both, w.forward = false, true
	}

	for _, p := range l {
		if v := snapped(p); len(w.points) == 0 || w.points[len(w.points)-1] != v {
			w.points = append(w.points, v)
		}
	}
	return w, len(w.points) >= 2
}

// edge is a street between two nodes; shape has the vertices between them.
type edge struct {
	from, to int
	shape    []vertex
	speed    int
	both     bool
	name     int
}

type graph struct {
	nodes []vertex
	edges []edge
	names []string
}

// buildGraph joins the ways into a graph: a vertex that several ways share, or
// where one ends, is a node.
func buildGraph(features []feature) *graph {
	var ways []way
	uses := map[vertex]int{}

	for _, f := range features {
		for _, l := range lines(f.geometry) {
			if w, ok := toWay(f, l); ok {
				if !w.forward {
					slices.Reverse(w.points)
				}
				ways = append(ways, w)
				for i, v := range w.points {
					uses[v]++
					if i == 0 || i == len(w.points)-1 {
						uses[v]++ // an end is a node
					}
				}
			}
		}
	}

	g := &graph{}
	nodeOf, nameOf := map[vertex]int{}, map[string]int{}

	node := func(v vertex) int {
		n, ok := nodeOf[v]
		if !ok {
			n = len(g.nodes)
			nodeOf[v] = n
			g.nodes = append(g.nodes, v)
		}
		return n
	}

	for _, w := range ways {
		name, ok := nameOf[w.name]
		if !ok {
			name = len(g.names)
			nameOf[w.name] = name
			g.names = append(g.names, w.name)
		}

		start := 0
		for i := 1; i < len(w.points); i++ {
			if uses[w.points[i]] < 2 {
				continue
			}
			g.edges = append(g.edges, edge{node(w.points[start]), node(w.points[i]), w.points[start+1 : i], w.speed, w.both, name})
			start = i
		}
	}

	g.keepLargestComponent()
	return g
}

// keepLargestComponent removes the nodes that cannot be reached from everywhere
// else, or from which not everything can be reached.
func (g *graph) keepLargestComponent() {
	out, in := make([][]int, len(g.nodes)), make([][]int, len(g.nodes))
	for _, e := range g.edges {
		out[e.from] = append(out[e.from], e.to)
		in[e.to] = append(in[e.to], e.from)
		if e.both {
			out[e.to] = append(out[e.to], e.from)
			in[e.from] = append(in[e.from], e.to)
		}
	}

	reach := func(from int, next [][]int) []bool {
		seen, stack := make([]bool, len(g.nodes)), []int{from}
		seen[from] = true
		for len(stack) > 0 {
			n := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			for _, m := range next[n] {
				if !seen[m] {
					seen[m] = true
					stack = append(stack, m)
				}
			}
		}
		return seen
	}

	// The largest component contains most nodes, so about twenty evenly spaced starts
	// find one in it.
	var best []bool
	bestSize := 0
	for start := 0; start < len(g.nodes); start += max(1, len(g.nodes)/20) {
		there, back := reach(start, out), reach(start, in)
		size := 0
		for i := range there {
			there[i] = there[i] && back[i]
			if there[i] {
				size++
			}
		}
		if size > bestSize {
			best, bestSize = there, size
		}
	}

	renumber, nodes := make([]int, len(g.nodes)), make([]vertex, 0, bestSize)
	for i, keep := range best {
		if keep {
			renumber[i] = len(nodes)
			nodes = append(nodes, g.nodes[i])
		}
	}

	var edges []edge
	for _, e := range g.edges {
		if best[e.from] && best[e.to] {
			e.from, e.to = renumber[e.from], renumber[e.to]
			edges = append(edges, e)
		}
	}

	g.nodes, g.edges = nodes, edges
}

// encode returns what city.Load reads: varints, and positions as differences in
// millionths of a degree. See services/domain/city/load.go.
func (g *graph) encode(features []feature) []byte {
	var b bytes.Buffer
	b.WriteString("TANDEM-CITY-1\n")

	num := func(n int64) { b.Write(binary.AppendVarint(nil, n)) }
	text := func(s string) { num(int64(len(s))); b.WriteString(s) }

	var lastLat, lastLon int64
	pos := func(v vertex) {
		lat, lon := v.degreesE6()
		num(lat - lastLat)
		num(lon - lastLon)
		lastLat, lastLon = lat, lon
	}

	num(int64(len(g.names)))
	for _, n := range g.names {
		text(n)
	}

	num(int64(len(g.nodes)))
	for _, v := range g.nodes {
		pos(v)
	}

	num(int64(len(g.edges)))
	for _, e := range g.edges {
		num(int64(e.from))
		num(int64(e.to))
		num(int64(e.speed))

		both := int64(0)
		if e.both {
			both = 1
		}
		num(both)
		num(int64(e.name))
		num(int64(len(e.shape)))
		// Along an edge each position is relative to the one before it, so that most
		// differences fit in a byte or two.
		lastLat, lastLon = g.nodes[e.from].degreesE6()
		for _, v := range e.shape {
			pos(v)
		}
	}

	spots := places(features)
	num(int64(len(spots)))
	lastLat, lastLon = 0, 0
	for _, s := range spots {
		text(s.label)
		text(s.kind)
		pos(s.at)
	}

	return b.Bytes()
}
