package mapfeed

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"tandem/services/domain/event"
)

const (
	epochLength = 10 * time.Minute
	silentAfter = time.Minute
	sweepEvery  = 5 * time.Second // of the stream's time: how often silent vehicles are looked for
)

// world is every vehicle's newest position. It is safe for concurrent use.
type world struct {
	now func() time.Time
	key []byte // of the pseudonyms; this process's own

	mu       sync.Mutex
	epoch    int64
	byDriver map[string]*vehicle
	moved    []*vehicle // since the last look, each once
	heard    time.Time  // the stream is known to be read up to then
	swept    time.Time  // what heard was when silent vehicles were last dropped
}

type vehicle struct {
	id      uint32
	point   event.Point
	arrived time.Time
	moved   bool // it is in world.moved
}

func newWorld(key []byte) *world {
	return &world{now: time.Now, key: key, byDriver: map[string]*vehicle{}}
}

// pseudonym is a driver's number in an epoch.
func (w *world) pseudonym(driver string, epoch int64) uint32 {
	mac := hmac.New(sha256.New, w.key)
	_, _ = mac.Write(binary.LittleEndian.AppendUint64([]byte(driver), uint64(epoch))) // a hash never fails
	return binary.LittleEndian.Uint32(mac.Sum(nil))
}

func (w *world) apply(p event.Point, arrived time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()

	v, ok := w.byDriver[p.Driver]
	if !ok {
		v = &vehicle{id: w.pseudonym(p.Driver, w.epoch)}
		w.byDriver[p.Driver] = v
	}

	v.point, v.arrived = p, arrived
	if !v.moved {
		v.moved = true
		w.moved = append(w.moved, v)
	}
}

// vehicleOf returns a driver's number in the epoch of now.
func (w *world) vehicleOf(driver string) uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pseudonym(driver, w.epoch)
}

// look returns the round of now: the vehicles that moved since the last look, and with
// all every vehicle as well. behind is how far the map may be behind the stream; below
// 0: nobody knows. A round is never changed and shared by all clients, so that a
// vehicle is encoded once, however many look at it.
func (w *world) look(behind time.Duration, all bool) round {
	now := w.now()
	r := round{now: now, behind: behind}
	w.mu.Lock()
	defer w.mu.Unlock()

	// A vehicle is silent when the stream speaks without it. While the stream itself
	// is silent nothing is known of any vehicle, also not that it has gone.
	if at := now.Add(-behind); behind >= 0 && at.After(w.heard) {
		w.heard = at
	}
	if w.heard.Sub(w.swept) >= sweepEvery {
		w.sweep()
	}

	// All numbers change at the same time: a number that changed alone could be matched to
	// the one before it.
	if epoch := now.UnixMilli() / epochLength.Milliseconds(); epoch != w.epoch {
		w.epoch, r.newNumbers = epoch, true
		for driver, v := range w.byDriver {
			v.id = w.pseudonym(driver, epoch)
		}
	}

	r.moved = place(w.moved, now)
	for _, v := range w.moved {
		v.moved = false
	}
	w.moved = w.moved[:0]

	// Numbers that have just changed are told to everybody, with everything.
	if all || r.newNumbers {
		r.all = place(w.vehicles(), now)
	}
	return r
}

// vehicles returns those that are not silent; mu is held.
func (w *world) vehicles() []*vehicle {
	out := make([]*vehicle, 0, len(w.byDriver))
	for _, v := range w.byDriver {
		if !w.silent(v) {
			out = append(out, v)
		}
	}
	return out
}

func (w *world) silent(v *vehicle) bool { return w.heard.Sub(v.arrived) > silentAfter }

// sweep forgets silent vehicles; mu is held. One that arrived late and is silent
// already is told of once more.
func (w *world) sweep() {
	w.swept = w.heard
	for driver, v := range w.byDriver {
		if !v.moved && w.silent(v) {
			delete(w.byDriver, driver)
		}
	}
}
