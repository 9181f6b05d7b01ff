package mapfeed

import (
	"encoding/binary"
	"encoding/json"
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

// Where a vehicle's parts begin.
const (
	latAt, lonAt, speedAt, headingAt, fixAt, ageAt, unknownAt = 4, 8, 12, 14, 16, 24, 28
)

// Flags of a vehicle.
const (
	speedUnknown   = 1
	headingUnknown = 2
)

// round is what is handed out to all clients at one time.
type round struct {
	moved, all *placed // since the round before; and every one, nil where nobody asked
	newNumbers bool    // an epoch began
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

// appendVehicle encodes a vehicle as it is at now. doc.go has the layout.
func appendVehicle(b []byte, v *vehicle, now time.Time) []byte {
	speed, noSpeed := measured(v.point.Speed, speedUnknown)
	heading, noHeading := measured(v.point.Heading, headingUnknown)

	b = binary.LittleEndian.AppendUint32(b, v.id)
	b = binary.LittleEndian.AppendUint32(b, uint32(fixed(v.point.Lat)))
	b = binary.LittleEndian.AppendUint32(b, uint32(fixed(v.point.Lon)))
	b = binary.LittleEndian.AppendUint16(b, uint16(min(max(speed, 0), math.MaxUint16)))
	b = binary.LittleEndian.AppendUint16(b, uint16(math.Mod(heading, 36_000)))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(v.point.At)))
	b = binary.LittleEndian.AppendUint32(b, uint32(max(0, now.Sub(v.arrived).Milliseconds())))
	b = binary.LittleEndian.AppendUint32(b, noSpeed|noHeading)
	return binary.LittleEndian.AppendUint64(b, 0) // room for what a later version tells
}

func numberOf(v []byte) uint32 { return binary.LittleEndian.Uint32(v) }
func latOf(v []byte) int32     { return int32(binary.LittleEndian.Uint32(v[latAt:])) }
func lonOf(v []byte) int32     { return int32(binary.LittleEndian.Uint32(v[lonAt:])) }

// addAge makes an encoded vehicle so many ms older.
func addAge(v []byte, ms uint32) {
	binary.LittleEndian.PutUint32(v[ageAt:], binary.LittleEndian.Uint32(v[ageAt:])+ms)
}

// setHead writes the head of a frame whose vehicles stand in b behind it: of as many as
// one frame can have.
func setHead(b []byte, kind byte, behind time.Duration, now time.Time) []byte {
	n := min((len(b)-headBytes)/vehicleBytes, maxVehicles)
	b = b[:headBytes+n*vehicleBytes]

	b[0], b[1] = frameVersion, kind
	binary.LittleEndian.PutUint16(b[2:], uint16(n))
	binary.LittleEndian.PutUint32(b[4:], millis(behind))
	binary.LittleEndian.PutUint64(b[8:], math.Float64bits(float64(now.UnixMilli())))
	return b
}

// measured returns hundredths of x, rounded, and no flag, or flag where x is not known.
func measured(x *float64, flag uint32) (float64, uint32) {
	if x == nil {
		return 0, flag
	}
	return math.Round(*x * 100), 0
}

// millis is d as a frame has it: unknownMS where it is below 0.
func millis(d time.Duration) uint32 {
	if d < 0 {
		return unknownMS
	}
	return uint32(min(d.Milliseconds(), unknownMS-1))
}

// positions is a frame for who asked for JSON. What is not known is null.
type positions struct {
	Type     string     `json:"type"` // "positions"
	Kind     string     `json:"kind"` // "moved" or "all"
	BehindMS *uint32    `json:"behind_ms"`
	Now      int64      `json:"now"` // ms since 1970 UTC
	Vehicles []position `json:"vehicles"`
}

type position struct {
	Vehicle uint32   `json:"vehicle"`
	Lat     float64  `json:"lat"`
	Lon     float64  `json:"lon"`
	Speed   *float64 `json:"speed"`   // m/s
	Heading *float64 `json:"heading"` // degrees
	At      int64    `json:"at"`      // of the fix, ms since 1970 UTC
	AgeMS   uint32   `json:"age_ms"`  // from the stream to here
}

// asJSON returns a binary frame's JSON.
func asJSON(b []byte) ([]byte, error) {
	p := positions{Type: "positions", Kind: "moved", Now: floatAt(b[8:]), Vehicles: []position{}}
	if b[1] == kindAll {
		p.Kind = "all"
	}
	if behind := binary.LittleEndian.Uint32(b[4:]); behind != unknownMS {
		p.BehindMS = &behind
	}

	for v := b[headBytes:]; len(v) > 0; v = v[vehicleBytes:] {
		unknown := binary.LittleEndian.Uint32(v[unknownAt:])
		p.Vehicles = append(p.Vehicles, position{
			Vehicle: numberOf(v), Lat: float64(latOf(v)) / 1e7, Lon: float64(lonOf(v)) / 1e7,
			Speed: hundredths(v[speedAt:], unknown&speedUnknown), Heading: hundredths(v[headingAt:], unknown&headingUnknown),
			At: floatAt(v[fixAt:]), AgeMS: binary.LittleEndian.Uint32(v[ageAt:]),
		})
	}
	return json.Marshal(p)
}

func floatAt(b []byte) int64 { return int64(math.Float64frombits(binary.LittleEndian.Uint64(b))) }

func hundredths(b []byte, unknown uint32) *float64 {
	if unknown != 0 {
		return nil
	}
	x := float64(binary.LittleEndian.Uint16(b)) / 100
	return &x
}
