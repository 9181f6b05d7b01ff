package mapfeed

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"sync"
	"time"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
)

const (
	epochLength = 10 * time.Minute
	silentAfter = time.Minute
)

// world is every vehicle's newest position. It is safe for concurrent use.
type world struct {
	now func() time.Time
	key []byte // makes pseudonyms; this process's own

	mu    sync.Mutex
	epoch int64
	by    map[string]*vehicle
	moved map[*vehicle]struct{} // since the last look
}

type vehicle struct {
	id      uint32
	point   event.Point
	arrived time.Time
}

func newWorld(key []byte) *world {
	return &world{now: time.Now, key: key, by: map[string]*vehicle{}, moved: map[*vehicle]struct{}{}}
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
	v, ok := w.by[p.Driver]
	if !ok {
		v = &vehicle{id: w.pseudonym(p.Driver, w.epoch)}
		w.by[p.Driver] = v
	}
	v.point, v.arrived = p, arrived
	w.moved[v] = struct{}{}
}

// vehicleOf gives a driver's number of now.
func (w *world) vehicleOf(driver string) uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pseudonym(driver, w.epoch)
}

// look gives copies of what moved since the last look, and of all vehicles; new
// numbers say that an epoch began.
func (w *world) look() (moved, all []vehicle, newNumbers bool) {
	now := w.now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if epoch := now.UnixMilli() / epochLength.Milliseconds(); epoch != w.epoch {
		w.epoch, newNumbers = epoch, true
		for driver, v := range w.by {
			v.id = w.pseudonym(driver, epoch)
		}
	}
	for driver, v := range w.by {
		if now.Sub(v.arrived) > silentAfter {
			delete(w.by, driver)
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

const (
	frameVersion = 1
	kindMoved    = 1
	kindAll      = 2
	headBytes    = 16
	vehicleBytes = 40
	maxVehicles  = math.MaxUint16
)

// encode writes a frame of the vehicles that lie in view.
func encode(kind byte, vehicles []vehicle, view geo.Box, now time.Time) (frame []byte, count int) {
	b := make([]byte, headBytes, headBytes+vehicleBytes*min(len(vehicles), 512))
	for _, v := range vehicles {
		if count == maxVehicles || !view.Contains(geo.Point{Lat: v.point.Lat, Lon: v.point.Lon}) {
			continue
		}
		count++
		b = binary.LittleEndian.AppendUint32(b, v.id)
		b = binary.LittleEndian.AppendUint32(b, uint32(int32(math.Round(v.point.Lat*1e7))))
		b = binary.LittleEndian.AppendUint32(b, uint32(int32(math.Round(v.point.Lon*1e7))))
		b = binary.LittleEndian.AppendUint16(b, uint16(min(max(v.point.Speed, 0)*100, math.MaxUint16)))
		b = binary.LittleEndian.AppendUint16(b, uint16(math.Mod(v.point.Heading*100, 36_000)))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(v.point.At)))
		b = binary.LittleEndian.AppendUint32(b, uint32(max(0, now.Sub(v.arrived).Milliseconds())))
		b = append(b, make([]byte, 12)...)
	}
	b[0], b[1] = frameVersion, kind
	binary.LittleEndian.PutUint16(b[2:], uint16(count))
	binary.LittleEndian.PutUint64(b[8:], math.Float64bits(float64(now.UnixMilli())))
	return b, count
}
