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
)

// world is every vehicle's newest position. It is safe for concurrent use.
type world struct {
	now func() time.Time
	key []byte // of the pseudonyms; this process's own

	mu       sync.Mutex
	epoch    int64
	byDriver map[string]*vehicle
	moved    map[*vehicle]struct{} // since the last look
	heard    time.Time             // the stream is known to be read up to then
}

type vehicle struct {
	id      uint32
	point   event.Point
	arrived time.Time
}

func newWorld(key []byte) *world {
	return &world{now: time.Now, key: key, byDriver: map[string]*vehicle{}, moved: map[*vehicle]struct{}{}}
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
	w.moved[v] = struct{}{}
}

// vehicleOf returns a driver's number in the epoch of now.
func (w *world) vehicleOf(driver string) uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pseudonym(driver, w.epoch)
}

// look returns copies of the vehicles that moved since the last look, and of all
// vehicles. newNumbers reports whether an epoch began. behind is how far the map may
// be behind the stream; below 0: nobody knows.
func (w *world) look(behind time.Duration) (moved, all []vehicle, newNumbers bool) {
	now := w.now()
	w.mu.Lock()
	defer w.mu.Unlock()

	// A vehicle is silent when the stream speaks without it. While the stream itself
	// is silent nothing is known of any vehicle, also not that it has gone.
	if at := now.Add(-behind); behind >= 0 && at.After(w.heard) {
		w.heard = at
	}

	// All numbers change at the same time: a number that changed alone could be matched to
	// the one before it.
	if epoch := now.UnixMilli() / epochLength.Milliseconds(); epoch != w.epoch {
		w.epoch, newNumbers = epoch, true
		for driver, v := range w.byDriver {
			v.id = w.pseudonym(driver, epoch)
		}
	}

	for driver, v := range w.byDriver {
		if w.heard.Sub(v.arrived) > silentAfter {
			delete(w.byDriver, driver)
			delete(w.moved, v)
			continue
		}
		all = append(all, *v)
	}
	for v := range w.moved {
		moved = append(moved, *v)
	}
	clear(w.moved)
	return moved, all, newNumbers
}
