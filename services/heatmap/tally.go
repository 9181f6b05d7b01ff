package heatmap

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

const (
	window = time.Minute // what a row counts over, of fix time
	level  = 15          // of the S2 cells that are counted: about 280 m across
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

// presence is one driver in one cell in one window.
type presence struct {
	place
	driver string
}

// tally is what a batch adds to the heatmap.
type tally struct {
	cells   map[place]count
	present map[presence]struct{}
	marks   event.Mark       // the newest sequence counted, of the batch's drivers
	skipped map[string]int64 // repeats and what came out of order, by driver
}

// tallyUp adds up points, raising mark as it goes. Presence is noted for fixes
// after since: nobody asks for older ones.
func tallyUp(points []arrival, mark event.Mark, since time.Time) tally {
	t := tally{cells: map[place]count{}, present: map[presence]struct{}{}, marks: event.Mark{}, skipped: map[string]int64{}}
	for _, p := range points {
		if !mark.Rises(p.Driver, p.Seq) {
			t.skipped[p.Driver]++
			continue
		}
		t.marks[p.Driver] = p.Seq
		at := placeOf(p.Point)
		c, ok := t.cells[at]
		if !ok {
			c = count{first: p.arrived, last: p.arrived}
		}
		c.n++
		c.first, c.last = earlier(c.first, p.arrived), later(c.last, p.arrived)
		t.cells[at] = c
		if p.Time().After(since) {
			t.present[presence{at, p.Driver}] = struct{}{}
		}
	}
	return t
}

// places gives the rows in the one order in which all shards lock them.
func (t tally) places() []place {
	out := make([]place, 0, len(t.cells))
	for p := range t.cells {
		out = append(out, p)
	}
	slices.SortFunc(out, comparePlaces)
	return out
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// arrival is a point and when it arrived on the stream.
type arrival struct {
	event.Point
	arrived time.Time
}

// decode reads all records of a batch; all that can't be read are named at once.
func decode(b shardreader.Batch) ([]arrival, error) {
	points := make([]arrival, 0, len(b.Records))
	var bad []error
	for _, r := range b.Records {
		p, err := event.DecodePoint(r.Data)
		if err != nil {
			bad = append(bad, shardgroup.Undecodable(r.Position, err))
			continue
		}
		points = append(points, arrival{Point: p, arrived: r.Arrived})
	}
	if len(bad) > 0 {
		return nil, fmt.Errorf("heatmap: %w", errors.Join(bad...))
	}
	return points, nil
}
