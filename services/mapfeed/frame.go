package mapfeed

import (
	"encoding/binary"
	"math"
	"time"
)

const (
	frameVersion = 1
	kindMoved    = 1
	kindAll      = 2
	headBytes    = 16
	vehicleBytes = 40
	maxVehicles  = math.MaxUint16
	unknownMS    = math.MaxUint32
)

// Flags of a vehicle.
const (
	speedUnknown   = 1
	headingUnknown = 2
)

// round is what is handed out to all clients at one time.
type round struct {
	moved, all []vehicle // since the round before; and every one
	newNumbers bool      // an epoch began
	now        time.Time
	behind     time.Duration // how far the map may be behind the stream; below 0: nobody knows
}

// behindAt is how far what the round tells is behind at now, later.
func (r round) behindAt(now time.Time) time.Duration {
	if r.behind < 0 {
		return r.behind
	}
	return r.behind + now.Sub(r.now)
}

// encode returns a frame of the vehicles, of as many as one can have. doc.go has
// the layout.
func encode(kind byte, vehicles []vehicle, behind time.Duration, now time.Time) []byte {
	vehicles = vehicles[:min(len(vehicles), maxVehicles)]
	b := make([]byte, headBytes, headBytes+vehicleBytes*len(vehicles))
	for _, v := range vehicles {
		b = binary.LittleEndian.AppendUint32(b, v.id)
		b = binary.LittleEndian.AppendUint32(b, uint32(int32(math.Round(v.point.Lat*1e7))))
		b = binary.LittleEndian.AppendUint32(b, uint32(int32(math.Round(v.point.Lon*1e7))))
		speed, noSpeed := measured(v.point.Speed, speedUnknown)
		heading, noHeading := measured(v.point.Heading, headingUnknown)
		b = binary.LittleEndian.AppendUint16(b, uint16(min(max(speed, 0)*100, math.MaxUint16)))
		b = binary.LittleEndian.AppendUint16(b, uint16(math.Mod(heading*100, 36_000)))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(v.point.At)))
		b = binary.LittleEndian.AppendUint32(b, uint32(max(0, now.Sub(v.arrived).Milliseconds())))
		b = binary.LittleEndian.AppendUint32(b, noSpeed|noHeading)
		b = append(b, make([]byte, 8)...) // room for what a later version tells
	}

	b[0], b[1] = frameVersion, kind
	binary.LittleEndian.PutUint16(b[2:], uint16(len(vehicles)))
	binary.LittleEndian.PutUint32(b[4:], millis(behind))
	binary.LittleEndian.PutUint64(b[8:], math.Float64bits(float64(now.UnixMilli())))
	return b
}

// measured returns x and no flag, or flag where x is not known.
func measured(x *float64, flag uint32) (float64, uint32) {
	if x == nil {
		return 0, flag
	}
	return *x, 0
}

// millis is d as a frame has it: unknownMS where it is below 0.
func millis(d time.Duration) uint32 {
	if d < 0 {
		return unknownMS
	}
	return uint32(min(d.Milliseconds(), unknownMS-1))
}
