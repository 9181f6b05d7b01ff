package heatmap

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"tandem/services/domain/areas"
	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/domain/points"
)

const (
	window = time.Minute // what a row counts over, of fix time
	level  = areas.Level // of the S2 cells that are counted
)

// place is the key of a row.
type place struct {
	windowMS int64 // the window's start, ms since 1970 UTC
	cell     uint64
}

func placeOf(p event.Point) place {
	ms := window.Milliseconds()
	return place{windowMS: p.At / ms * ms, cell: geo.Cell(geo.Point{Lat: p.Lat, Lon: p.Lon}, level)}
}

func (p place) window() time.Time { return time.UnixMilli(p.windowMS).UTC() }

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.windowMS, b.windowMS), cmp.Compare(a.cell, b.cell))
}

// count is what a batch adds to a row.
type count struct {
	n           int64
	first, last time.Time // arrivals
}

// plus adds up two counts of one row.
func (c count) plus(d count) count {
	if c.n == 0 {
		return d
	}

	c.n += d.n
	if d.first.Before(c.first) {
		c.first = d.first
	}
	if d.last.After(c.last) {
		c.last = d.last
	}

	return c
}

// presence is one driver in one cell in one window.
type presence struct {
	place
	driver string
}

// tally is what a batch adds to the heatmap.
type tally struct {
	cells   map[place]count
	present map[presence]struct{}
	marks   event.Mark       // the newest sequence counted, by driver
	skipped map[string]int64 // repeats and what came out of order, by driver
	late    int              // points that arrived after their window could be shown
}

// tallyUp adds up a batch. Presence is noted for fixes after since: nobody asks
// for older ones.
func tallyUp(batch []points.Arrival, since time.Time) tally {
	t := tally{cells: map[place]count{}, present: map[presence]struct{}{}, marks: event.Mark{}, skipped: map[string]int64{}}
	for _, p := range batch {
		if !p.Rises && !p.Returns { // what returns was set aside, and never counted
			t.skipped[p.Driver]++
			continue
		}
		if p.Rises {
			t.marks[p.Driver] = p.Seq
		}

		at := placeOf(p.Point)
		if !p.Arrived.Before(at.window().Add(window + settle)) {
			t.late++
		}
		t.cells[at] = t.cells[at].plus(count{n: 1, first: p.Arrived, last: p.Arrived})
		if p.Time().After(since) {
			t.present[presence{at, p.Driver}] = struct{}{}
		}
	}

	return t
}

// skippedPoints returns how many points were skipped, of all drivers.
func (t tally) skippedPoints() (n int) {
	for _, of := range t.skipped {
		n += int(of)
	}
	return n
}

// byHour adds up the counts of minutes to those of their hours.
func byHour(cells map[place]count) map[place]count {
	out := map[place]count{}
	for p, c := range cells {
		hour := place{p.window().Truncate(time.Hour).UnixMilli(), p.cell}
		out[hour] = out[hour].plus(c)
	}
	return out
}

// sorted returns the rows in the one order in which all shards lock them: two
// transactions that lock in different orders would wait for each other.
func sorted(counts map[place]count) []place {
	return slices.SortedFunc(maps.Keys(counts), comparePlaces)
}
