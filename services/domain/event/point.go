package event

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// PointVersion is the version that this build writes.
const PointVersion = 1

// ErrVersion is returned for a version that this build does not know.
var ErrVersion = errors.New("event: unknown version")

// ErrPoint is wrapped by every decode error of a point.
var ErrPoint = errors.New("event: not a point")

// Point is one GPS fix of one driver, as it travels on the stream: bare JSON,
// without an envelope. Seq rises strictly per driver for ever; it is the
// point's identity together with Driver.
type Point struct {
	Version int     `json:"v"`
	Driver  string  `json:"driver"`
	Seq     int64   `json:"seq"` // max(previous + 1, fix time in ms since 1970 UTC)
	At      int64   `json:"at"`  // fix time, ms since 1970 UTC
	Lat     float64 `json:"lat"` // degrees, WGS 84
	Lon     float64 `json:"lon"` // degrees, WGS 84
	// What was measured besides; nil: not known, which is not 0.
	Speed    *float64 `json:"speed,omitempty"`    // metres per second
	Heading  *float64 `json:"heading,omitempty"`  // degrees clockwise from north, [0, 360)
	Accuracy *float64 `json:"accuracy,omitempty"` // metres, radius of 68 % confidence
	// Taken is when location took the point's batch from the driver, ms since 1970
	// UTC; 0: not known. It rises strictly from batch to batch, so it tells a point
	// that its driver sent late from one that the stream has reordered.
	Taken int64 `json:"taken,omitempty"`
}

// TakenBefore reports whether p was taken before q, of the same driver.
func (p Point) TakenBefore(q Point) bool {
	return cmp.Or(cmp.Compare(p.Taken, q.Taken), cmp.Compare(p.Seq, q.Seq)) < 0
}

// Time is the fix time.
func (p Point) Time() time.Time { return time.UnixMilli(p.At).UTC() }

// Encode returns the bytes that go on the stream.
func (p Point) Encode() ([]byte, error) {
	p.Version = PointVersion
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("event: encode point of %s: %w", p.Driver, err)
	}
	return b, nil
}

// DecodePoint reads what Encode wrote. It returns ErrVersion for a version it
// does not know and wraps ErrPoint for anything that is not a usable point.
func DecodePoint(b []byte) (Point, error) {
	var p Point
	if err := json.Unmarshal(b, &p); err != nil {
		return Point{}, fmt.Errorf("%w: %w", ErrPoint, err)
	}

	if p.Version != PointVersion {
		return Point{}, fmt.Errorf("%w: point version %d", ErrVersion, p.Version)
	}

	// Refused here once, so that no reader keeps what another reader cannot.
	if !p.usable() {
		return Point{}, fmt.Errorf("%w: driver %q seq %d time %d at %g,%g", ErrPoint, p.Driver, p.Seq, p.At, p.Lat, p.Lon)
	}
	return p, nil
}

// Bounds of what a reader can keep: a sequence is a time, so it has a date.
const (
	maxTime     = 4_102_444_800_000 // 2100-01-01, ms since 1970 UTC
	maxMeasured = 1e6               // of speed, heading and accuracy
)

// usable reports whether every reader can keep p.
func (p Point) usable() bool {
	return ValidID(p.Driver) && p.Seq > 0 && p.Seq < maxTime && p.At >= 0 && p.At < maxTime && p.Taken >= 0 && p.Taken < maxTime &&
		math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180 &&
		measurable(p.Speed) && measurable(p.Heading) && measurable(p.Accuracy)
}

func measurable(x *float64) bool { return x == nil || math.Abs(*x) <= maxMeasured }
