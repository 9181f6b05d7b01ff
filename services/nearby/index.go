package nearby

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/tidwall/rtree"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
)

// silentAfter is how long after its last point a driver counts as gone.
const silentAfter = time.Minute

// blindAfter is how far behind the stream reading may be: beyond it too many drivers would
// be taken for silent.
const blindAfter = silentAfter / 2

// index is the drivers' newest points. It is safe for concurrent use.
type index struct {
	now     func() time.Time
	through func() (every, some time.Time) // until when every shard was read, and some shard; nil: it is not asked

	mu       sync.RWMutex
	byDriver map[string]entry
	byPlace  rtree.RTreeG[string] // the same drivers
}

type entry struct {
	event.Point
	heard time.Time // when the point arrived on the stream
}

func newIndex() *index { return &index{now: time.Now, byDriver: map[string]entry{}} }

// blind reports whether nobody knows where drivers are now: the stream was not read for a
// while, on any shard. partly reports whether that is so of some shard: who is known is
// known, and of nobody else it can be said that he is silent or far away.
func (x *index) blind() (blind, partly bool) {
	if x.through == nil {
		return false, false
	}

	every, some := x.through()
	old := func(read time.Time) bool { return x.now().Sub(read) > blindAfter }
	return old(some), old(every)
}

func corner(p event.Point) [2]float64 { return [2]float64{p.Lon, p.Lat} }

// apply moves a driver to its newest point.
func (x *index) apply(p event.Point, arrived time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()

	if before, ok := x.byDriver[p.Driver]; ok {
		x.byPlace.Delete(corner(before.Point), corner(before.Point), p.Driver)
	}

	x.byDriver[p.Driver] = entry{p, arrived}
	x.byPlace.Insert(corner(p), corner(p), p.Driver)
}

// forget drops drivers that have been silent.
func (x *index) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()

	for driver, e := range x.byDriver {
		if x.now().Sub(e.heard) > silentAfter {
			x.byPlace.Delete(corner(e.Point), corner(e.Point), driver)
			delete(x.byDriver, driver)
		}
	}
}

// keepForgetting frees memory; near leaves silent drivers out by itself.
func (x *index) keepForgetting(ctx context.Context) error {
	tick := time.NewTicker(silentAfter / 6)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			x.forget()
		}
	}
}

// found is one driver near a place.
type found struct {
	DriverID string `json:"driver_id"`
	geo.Point
	Heading   *float64 `json:"heading"` // null: not known
	Speed     *float64 `json:"speed"`   // null: not known
	At        int64    `json:"at"`      // fix time, ms since 1970 UTC
	DistanceM float64  `json:"distance_m"`
}

// near returns the nearest drivers within metres of p, at most limit, nearest
// first.
func (x *index) near(p geo.Point, limit int, within float64) []found {
	x.mu.RLock()
	defer x.mu.RUnlock()

	// The tree is walked in the order of squared degrees, longitude scaled: over a
	// city that is the order of metres, and much cheaper.
	here := [2]float64{p.Lon, p.Lat}
	scale := math.Cos(p.Lat * math.Pi / 180)
	distance := func(lo, hi [2]float64, _ string, _ bool) float64 {
		dx := max(lo[0]-here[0], 0, here[0]-hi[0]) * scale
		dy := max(lo[1]-here[1], 0, here[1]-hi[1])
		return dx*dx + dy*dy
	}

	out := []found{}
	x.byPlace.Nearby(distance, func(_, _ [2]float64, driver string, _ float64) bool {
		e := x.byDriver[driver]
		at := geo.Point{Lat: e.Lat, Lon: e.Lon}
		d := geo.Distance(p, at)
		if d > within*1.01 {
			return false // what follows is farther; 1 % is what the two orders may differ by
		}

		// A silent driver may still be indexed: forget runs now and then.
		if d <= within && x.now().Sub(e.heard) <= silentAfter {
			out = append(out, found{driver, at, e.Heading, e.Speed, e.At, math.Round(d)})
		}
		return len(out) < limit
	})
	return out
}

// last returns the driver's newest point, and whether it was heard of lately.
func (x *index) last(driver string) (event.Point, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()

	e, ok := x.byDriver[driver]
	return e.Point, ok && x.now().Sub(e.heard) <= silentAfter
}

func (x *index) size() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.byDriver)
}
