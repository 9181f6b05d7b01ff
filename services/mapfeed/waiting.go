package mapfeed

import (
	"sync"
	"time"
)

const (
	// aliveEvery is how often a client gets a frame at least, though nothing moves: so
	// it learns that nothing is heard of, and from silence that mapfeed is away.
	aliveEvery = 500 * time.Millisecond

	// maxWaiting is how many rounds wait for a client. One that is farther behind is told
	// everything in its view instead, as it is then.
	maxWaiting = 8
)

// waiting are the rounds that the next frame will tell. They are shared by all clients:
// what lies in the view is copied from them only when the client takes the frame.
type waiting struct {
	rounds []round // the oldest first; of the first, with all, every vehicle
	all    bool
}

// wantsAll reports whether the next round must have every vehicle for this client.
func (c *client) wantsAll() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.viewed && c.fresh
}

// offer adds a round to the frame that waits for the client. It never waits itself.
func (c *client) offer(r round) {
	c.mu.Lock()
	defer c.mu.Unlock()

	if r.newNumbers {
		c.fresh = true
		for _, driver := range c.known() {
			c.tellVehicle(driver)
		}
	}

	switch {
	case !c.viewed:
		return
	case c.fresh && r.all == nil:
		return // it asked after the round was begun: the next has every vehicle
	case c.fresh:
		c.waits = waiting{rounds: []round{r}, all: true}
		c.fresh = false
	case len(c.waits.rounds) == maxWaiting:
		// It is too far behind to be told of every step. What waited is not told.
		c.waits, c.fresh = waiting{}, true
		return
	default:
		c.waits.rounds = append(c.waits.rounds, r)
	}

	select {
	case c.wake <- struct{}{}:
	default: // it is woken already, and will find this round
	}
}

// buffers are shared: a client needs one only while its frame is written.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// take appends the frame that waits to b, which is empty, and returns it, and whether the
// client wants it as JSON; nil: there is nothing to tell.
func (c *client) take(b []byte, now time.Time) (frame []byte, json bool) {
	c.mu.Lock()
	w, v, json := c.waits, c.view, c.json
	c.waits = waiting{}
	c.mu.Unlock()
	if len(w.rounds) == 0 {
		return nil, json
	}

	// Copied outside of the lock, by the client's own goroutine: who hands out does not
	// wait for it.
	b = append(b, make([]byte, headBytes)...)
	b = w.appendVehicles(b, v, now)
	if len(b) == headBytes && !w.all && now.Sub(c.told) < aliveEvery {
		return nil, json
	}

	c.told = now
	kind := byte(kindMoved)
	if w.all {
		kind = kindAll
	}
	return setHead(b, kind, w.rounds[len(w.rounds)-1].behindAt(now), now), json
}

func (w waiting) appendVehicles(b []byte, v view, now time.Time) []byte {
	if len(w.rounds) > 1 {
		return w.merge(b, v, now)
	}

	r := w.rounds[0]
	late := millis(max(0, now.Sub(r.now)))
	r.told(w.all).each(v, func(vehicle []byte) {
		b = append(b, vehicle...)
		addAge(b[len(b)-vehicleBytes:], late)
	})
	return b
}

// merge tells each vehicle of several rounds once, where it is now: the map may skip
// points, and never shows an older one after a newer.
func (w waiting) merge(b []byte, v view, now time.Time) []byte {
	places := map[uint32]int{} // where in b each vehicle stands
	for i, r := range w.rounds {
		late := millis(max(0, now.Sub(r.now)))
		put := func(vehicle []byte) {
			at, known := places[numberOf(vehicle)]
			if !known {
				at = len(b)
				places[numberOf(vehicle)] = at
				b = append(b, vehicle...)
			}
			copy(b[at:], vehicle)
			addAge(b[at:][:vehicleBytes], late)
		}
		r.told(w.all && i == 0).each(v, put)

		// A vehicle that waits is told of although it has left the view since: or the
		// client would keep it where it was before.
		if i > 0 {
			r.moved.leaving(v, places, put)
		}
	}
	return b
}

// told returns the vehicles that the round tells.
func (r round) told(all bool) *placed {
	if all {
		return r.all
	}
	return r.moved
}

// leaving calls put with those of the known vehicles that lie outside of the view.
func (p *placed) leaving(v view, known map[uint32]int, put func(vehicle []byte)) {
	if len(known) == 0 {
		return
	}
	for b := p.bytes; len(b) > 0; b = b[vehicleBytes:] {
		one := b[:vehicleBytes]
		if _, waits := known[numberOf(one)]; waits && !v.contains(one) {
			put(one)
		}
	}
}
