package event

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// PointVersion is the version that this build writes. It reads version 1 too, which
// named the driver and always had the fix time.
const PointVersion = 2

// ErrVersion is returned for a version that this build does not know.
var ErrVersion = errors.New("event: unknown version")

// ErrPoint is wrapped by every decode error of a point.
var ErrPoint = errors.New("event: not a point")

// Point is one GPS fix of one driver. On the stream it is bare JSON, without an
// envelope, and the driver is the record's key. Seq rises strictly per driver for
// ever; it is the point's identity together with Driver.
type Point struct {
	Driver string
	Seq    int64   // max(previous + 1, fix time in ms since 1970 UTC)
	At     int64   // fix time, ms since 1970 UTC
	Lat    float64 // degrees, WGS 84
	Lon    float64 // degrees, WGS 84
	// What was measured besides; nil: not known, which is not 0.
	Speed    *float64 // metres per second
	Heading  *float64 // degrees clockwise from north, [0, 360)
	Accuracy *float64 // metres, radius of 68 % confidence
	// Taken is when location took the point's batch from the driver, ms since 1970
	// UTC; 0: not known. It rises strictly from batch to batch, so it tells a point
	// that its driver sent late from one that the stream has reordered.
	Taken int64
}

// wire is a point as it stands on the stream. It repeats neither the driver, which
// is the key, nor a fix time that is the sequence, as most are: both would be a
// quarter of its bytes.
type wire struct {
	Version  int      `json:"v"`
	Driver   string   `json:"driver,omitempty"` // version 1
	Seq      int64    `json:"seq"`
	At       int64    `json:"at,omitempty"` // missing: Seq; never in version 1
	Lat      float64  `json:"lat"`
	Lon      float64  `json:"lon"`
	Speed    *float64 `json:"speed,omitempty"`
	Heading  *float64 `json:"heading,omitempty"`
	Accuracy *float64 `json:"accuracy,omitempty"`
	Taken    int64    `json:"taken,omitempty"`
}

// TakenBefore reports whether p was taken before q, of the same driver.
func (p Point) TakenBefore(q Point) bool {
	return cmp.Or(cmp.Compare(p.Taken, q.Taken), cmp.Compare(p.Seq, q.Seq)) < 0
}

// Time is the fix time.
func (p Point) Time() time.Time { return time.UnixMilli(p.At).UTC() }

// Encode returns the bytes that go on the stream, in a record whose key is Driver.
// They have no fix time where it is 0 or Seq.
func (p Point) Encode() ([]byte, error) {
	w := wire{
		Version: PointVersion, Seq: p.Seq, At: p.At, Lat: p.Lat, Lon: p.Lon,
		Speed: p.Speed, Heading: p.Heading, Accuracy: p.Accuracy, Taken: p.Taken,
	}
	if w.At == w.Seq {
		w.At = 0
	}

	b, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("event: encode point of %s: %w", p.Driver, err)
	}
	return b, nil
}

// DecodePoint reads what Encode wrote, now or in version 1, from a record with this
// key. It returns ErrVersion for a version it does not know and wraps ErrPoint for
// anything that is not a usable point.
func DecodePoint(key string, b []byte) (Point, error) {
	w, ok := scan(b)
	if !ok {
		w = wire{}
		if err := json.Unmarshal(b, &w); err != nil {
			return Point{}, fmt.Errorf("%w: %w", ErrPoint, err)
		}
	}

	switch w.Version {
	case 1:
		if w.Driver == "" {
			return Point{}, fmt.Errorf("%w: version 1 without a driver", ErrPoint)
		}
	case PointVersion:
		if w.At == 0 {
			w.At = w.Seq
		}
	default:
		return Point{}, fmt.Errorf("%w: point version %d", ErrVersion, w.Version)
	}

	// The key decides which points are in order, so another driver's name beside it
	// is nobody's point.
	if w.Driver != "" && w.Driver != key {
		return Point{}, fmt.Errorf("%w: of driver %q in a record of %q", ErrPoint, w.Driver, key)
	}

	p := Point{
		Driver: key, Seq: w.Seq, At: w.At, Lat: w.Lat, Lon: w.Lon,
		Speed: w.Speed, Heading: w.Heading, Accuracy: w.Accuracy, Taken: w.Taken,
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
