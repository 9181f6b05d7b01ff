package mapfeed

import (
	"maps"
	"slices"
	"time"

	"tandem/services/domain/geo"
)

// aliveEvery is how often a client gets a frame at least, though nothing moves: so
// it learns that nothing is heard of, and from silence that mapfeed is away.
const aliveEvery = 500 * time.Millisecond

// waiting is the frame that waits for a client. It is encoded only when the client
// takes it: until then what is newer is merged into it.
type waiting struct {
	kind  byte
	all   []vehicle          // of kindAll: every vehicle; shared by all clients, never changed
	moved map[uint32]vehicle // of kindMoved: the newest of each that moved in the view
	round round
}

// offer merges a round into the frame that waits for the client. It never waits
// itself.
func (c *client) offer(r round) {
	c.mu.Lock()
	defer c.mu.Unlock()

	if r.newNumbers {
		c.fresh = true
		for driver := range c.knows {
			c.tellVehicle(driver)
		}
	}
	if !c.viewed {
		return
	}

	// A frame that was to tell everything in the view still must.
	if c.fresh || c.waits != nil && c.waits.kind == kindAll {
		c.waits = &waiting{kind: kindAll, all: r.all, round: r}
	} else if !c.merge(r) {
		return
	}

	c.fresh, c.offered = false, r.now
	select {
	case c.wake <- struct{}{}:
	default: // it is woken already, and will find this frame
	}
}

// merge adds what moved to the frame that waits, and reports whether there is
// anything to tell; mu is held.
func (c *client) merge(r round) bool {
	w := c.waits
	if w == nil {
		w = &waiting{kind: kindMoved, moved: map[uint32]vehicle{}}
	}

	// A vehicle that waits is told of although it has left the view since: or the
	// client would keep it where it was before.
	for _, v := range r.moved {
		if _, known := w.moved[v.id]; known || inView(c.view, v) {
			w.moved[v.id] = v
		}
	}
	if len(w.moved) == 0 && r.now.Sub(c.offered) < aliveEvery {
		return false
	}

	w.round, c.waits = r, w
	return true
}

// take returns the frame that waits; nil: none does.
func (c *client) take(now time.Time) []byte {
	c.mu.Lock()
	w, view := c.waits, c.view
	c.waits = nil
	c.mu.Unlock()

	// Encoded outside of the lock, by the client's own goroutine: who hands out does
	// not wait for it.
	switch {
	case w == nil:
		return nil
	case w.kind == kindMoved:
		return encode(kindMoved, slices.Collect(maps.Values(w.moved)), w.round.behindAt(now), now)
	}
	out := slices.DeleteFunc(slices.Clone(w.all), func(v vehicle) bool { return !inView(view, v) })
	return encode(kindAll, out, w.round.behindAt(now), now)
}

func inView(view geo.Box, v vehicle) bool {
	return view.Contains(geo.Point{Lat: v.point.Lat, Lon: v.point.Lon})
}
