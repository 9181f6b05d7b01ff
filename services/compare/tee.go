package compare

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tandem/services/domain/event"
)

const (
	maxDrivers = 50
	maxPoints  = 30_000 // of a session: ten minutes
	maxWaiting = 2_000  // numbered, and not handed over yet
	maxBatch   = 50
	lookahead  = 4 * maxBatch // waiting points among which a batch finds its cars
	sendEvery  = 250 * time.Millisecond
)

// message is a point as it travels on either side. It names a car by a number of
// the session's: who drives it stays on driver-locations.
type message struct {
	Session string   `json:"session"`
	N       int      `json:"n"`
	Car     int      `json:"car"`
	At      int64    `json:"at"` // fix time, ms since 1970 UTC
	Lat     float64  `json:"lat"`
	Lon     float64  `json:"lon"`
	Heading *float64 `json:"heading,omitempty"` // nil: not measured
}

func (m message) encode() []byte {
	b, _ := json.Marshal(m) // of numbers that JSON has: event.DecodePoint has refused others
	return b
}

// tee numbers the points of the drivers that it hears first.
type tee struct {
	session string
	turn    chan struct{} // has room for who hands over, or holds the tee still

	mu     sync.Mutex
	cars   map[string]int // by driver
	points []message
	handed int // points[:handed] were handed to both sides
	topic  int // points after this number go to the topic; -1: none
	failed error
}

func newTee(session string) *tee {
	return &tee{session: session, turn: make(chan struct{}, 1), cars: map[string]int{}, topic: -1}
}

// apply numbers a driver's newest point. It never waits.
func (t *tee) apply(p event.Point, _ time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.points) >= maxPoints || len(t.points)-t.handed >= maxWaiting {
		return
	}

	car, known := t.cars[p.Driver]
	if !known {
		if car = len(t.cars); car >= maxDrivers {
			return
		}
		t.cars[p.Driver] = car
	}
	t.points = append(t.points, message{t.session, len(t.points) + 1, car, p.At, p.Lat, p.Lon, p.Heading})
}

// next returns the points to hand over next, and whether they go to the topic. They
// count as sent from now on, so that no reader ever has more than was sent.
func (t *tee) next() (batch []message, toTopic bool) {
	t.mu.Lock()
	defer t.mu.Unlock()

	waiting := t.points[t.handed:min(len(t.points), t.handed+lookahead)]
	cars := map[int]bool{}
	var later []message
	for _, m := range waiting {
		// PutRecords promises no order within a call: a car has one point in each.
		if cars[m.Car] || len(batch) == maxBatch {
			later = append(later, m)
			continue
		}
		cars[m.Car] = true
		batch = append(batch, m)
	}

	// A driver may send several points at once. They wait behind those of the others, or
	// each would need a call of its own, which takes seconds on a busy LocalStack. Nobody
	// has seen the numbers of what waits.
	copy(waiting[copy(waiting, batch):], later)
	for i := range waiting {
		waiting[i].N = t.handed + i + 1
	}
	batch = slices.Clone(waiting[:len(batch)])
	t.handed += len(batch)
	return batch, t.topic >= 0
}

// run hands points over until ctx ends.
func (t *tee) run(ctx context.Context, c *cloud) {
	tick := time.NewTicker(sendEvery)
	defer tick.Stop()
	for {
		some := false
		_ = t.between(ctx, func(int) error { // it fails once ctx has ended, as below
			batch, toTopic := t.next()
			if some = len(batch) > 0; some {
				t.handOver(ctx, c, batch, toTopic)
			}
			return nil
		})
		if some {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// between calls f with N while nothing is on its way: both sides have acknowledged
// the points up to N, and have been given none after it.
func (t *tee) between(ctx context.Context, f func(n int) error) error {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-t.turn }()
	return f(t.sent())
}

// handOver returns when both sides have acknowledged the batch, or ctx has ended:
// the next one must not overtake it.
func (t *tee) handOver(ctx context.Context, c *cloud, batch []message, toTopic bool) {
	bodies := make([][]byte, len(batch))
	keys := make([]string, len(batch))
	for i, m := range batch {
		bodies[i], keys[i] = m.encode(), carKey(m.Car)
	}

	toQueue := func(ctx context.Context, left []int) ([]int, error) { return c.send(ctx, QueuePoints, bodies, left) }
	if toTopic {
		toQueue = func(ctx context.Context, left []int) ([]int, error) { return c.publish(ctx, bodies, left) }
	}

	var g errgroup.Group
	g.Go(func() error { until(ctx, len(batch), t.note, toQueue); return nil })
	g.Go(func() error {
		until(ctx, len(batch), t.note, func(ctx context.Context, left []int) ([]int, error) {
			return c.put(ctx, StreamPoints, keys, bodies, left)
		})
		return nil
	})
	_ = g.Wait()
}

// until sends again what is left, until nothing is or ctx has ended.
func until(ctx context.Context, n int, note func(error), send func(context.Context, []int) (left []int, err error)) {
	left := make([]int, n)
	for i := range left {
		left[i] = i
	}

	for {
		var err error
		left, err = send(ctx, left)
		if ctx.Err() != nil {
			return
		}
		note(err)
		if len(left) == 0 {
			return
		}
		pause(ctx, time.Second)
	}
}

func (t *tee) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = err
}

// sent returns N.
func (t *tee) sent() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.handed
}

// toTopic lets the points after number n go to the topic.
func (t *tee) toTopic(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.topic = n
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
