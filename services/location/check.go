package location

import (
	"fmt"
	"math"
	"time"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/internal/problem"
)

const (
	maxPoints   = 500
	maxBody     = 256 << 10
	maxSpeed    = 100.0 // metres a second
	maxAccuracy = 10_000.0
	maxFuture   = time.Minute
	// maxAge is how old a driver's own fix may be: an app that was offline for
	// a day. An importer's recorded times may be any.
	maxAge = 24 * time.Hour
	// maxSpan is how far a sequence may lie above its fix time. A device's clock
	// that was set back makes it do so; and history has a partition for each day of
	// sequences, so it may not be any.
	maxSpan = 24 * time.Hour
)

// point is one fix as it is sent. The pointers tell a missing member from a zero.
type point struct {
	Seq      int64    `json:"seq"`
	At       int64    `json:"at"`
	Lat      *float64 `json:"lat"`
	Lon      *float64 `json:"lon"`
	Speed    *float64 `json:"speed"` // nil here and below: not known
	Heading  *float64 `json:"heading"`
	Accuracy *float64 `json:"accuracy"`
}

type pointsRequest struct {
	DriverID string  `json:"driver_id,omitempty"` // an importer names the driver
	Points   []point `json:"points"`
}

// refusal is why a point was not taken.
type refusal struct {
	Seq    int64  `json:"seq"`
	Index  int    `json:"index"`
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// bounds are what a batch is held against.
type bounds struct {
	now      time.Time
	recorded bool  // an importer's: the fix times may be any
	above    int64 // the lowest sequence of the driver's last batch; 0: not known
}

// check sorts a batch into what goes to the stream and what is refused.
func check(driver string, points []point, b bounds) (good []event.Point, refused []refusal) {
	refused = []refusal{} // and never null in an answer
	var last event.Point
	for i, p := range points {
		field, detail := p.check(b)
		if field == "" {
			field, detail = p.follows(last, b)
		}
		if field != "" {
			refused = append(refused, refusal{p.Seq, i, field, detail})
			continue
		}

		last = p.rounded(driver)
		good = append(good, last)
	}

	return good, refused
}

// check returns the field that is wrong in itself and what is wrong with it; "":
// none is. JSON has no NaN, so a body that has one is refused while it is read.
func (p point) check(b bounds) (field, detail string) {
	at := time.UnixMilli(p.At)
	switch {
	case p.Seq <= 0 || p.Seq > maxSeq:
		return "seq", "A sequence is a number above 0: the larger of the one before + 1 and the fix time in ms."
	case p.At <= 0:
		return "at", "The fix time is missing: ms since 1970 UTC."
	case at.After(b.now.Add(maxFuture)):
		return "at", fmt.Sprintf("The fix time lies more than %s in the future: look at the device's clock.", maxFuture)
	case !b.recorded && at.Before(b.now.Add(-maxAge)):
		return "at", fmt.Sprintf("The fix is older than %s.", maxAge)
	case p.Seq < p.At:
		return "seq", "The sequence is below the fix time: it is the fix time in ms, or one above the one before."
	case p.Seq > b.now.Add(maxFuture).UnixMilli()+slack || p.Seq-p.At > maxSpan.Milliseconds():
		return "seq", fmt.Sprintf("The sequence runs ahead of the clock, or more than %s ahead of the fix time.", maxSpan)
	case p.Lat == nil || bad(p.Lat, -90, 90):
		return "lat", "Latitude is -90 to 90 degrees."
	case p.Lon == nil || bad(p.Lon, -180, 180):
		return "lon", "Longitude is -180 to 180 degrees."
	case round(*p.Lat, 7) == 0 && round(*p.Lon, 7) == 0:
		return "lat", "0,0 lies in the Gulf of Guinea: it is what a receiver without a fix reports."
	case bad(p.Speed, 0, maxSpeed):
		return "speed", fmt.Sprintf("Speed is 0 to %g metres a second.", maxSpeed)
	case bad(p.Heading, 0, 360) || p.Heading != nil && *p.Heading == 360:
		return "heading", "Heading is 0 to below 360 degrees, clockwise from north."
	case bad(p.Accuracy, 0, maxAccuracy):
		return "accuracy", fmt.Sprintf("Accuracy is 0 to %g metres.", maxAccuracy)
	}
	return "", ""
}

// rounded returns the point as it goes to the stream: to a centimetre and to
// hundredths of what was measured, which is below what a receiver knows. A device's
// seventeen digits would be a third of the bytes.
func (p point) rounded(driver string) event.Point {
	out := event.Point{
		Driver: driver, Seq: p.Seq, At: p.At, Lat: round(*p.Lat, 7), Lon: round(*p.Lon, 7),
		Speed: hundredths(p.Speed), Heading: hundredths(p.Heading), Accuracy: hundredths(p.Accuracy),
	}

	// 359.996 is north.
	if out.Heading != nil && *out.Heading == 360 {
		*out.Heading = 0
	}
	return out
}

func hundredths(x *float64) *float64 {
	if x == nil {
		return nil
	}
	return new(round(*x, 2))
}

// round returns x with so many digits after the point, and never -0.
func round(x float64, digits int) float64 {
	shift := math.Pow10(digits)
	return math.Round(x*shift)/shift + 0
}

// follows returns the field that does not fit what the driver sent before, and
// why; last is the point before it in the batch.
func (p point) follows(last event.Point, b bounds) (field, detail string) {
	if p.Seq <= last.Seq {
		return "seq", fmt.Sprintf("%d does not rise above %d, the one before it in this batch.", p.Seq, last.Seq)
	}

	// The last batch's own sequences are taken again: its answer may have been lost.
	// An importer may send a whole file again: what it holds is stored already.
	if !b.recorded && p.Seq < b.above {
		return "seq", fmt.Sprintf("%d does not rise: the batch before began with %d.", p.Seq, b.above)
	}

	// Within a second receivers jitter, and times are rounded: so at least a second
	// counts.
	if last.Seq > 0 {
		metres := geo.Distance(geo.Point{Lat: last.Lat, Lon: last.Lon}, geo.Point{Lat: *p.Lat, Lon: *p.Lon})
		if seconds := max(math.Abs(float64(p.At-last.At))/1000, 1); metres/seconds > maxSpeed {
			return "lat", fmt.Sprintf("The place is %.0f m from the one before, %.1f s away: over %g metres a second.", metres, seconds, maxSpeed)
		}
	}
	return "", ""
}

const (
	// maxSeq keeps sequences exact in JSON numbers everywhere (2^53 - 1).
	maxSeq = 1<<53 - 1
	// slack is how far sequences may run ahead of the clock: many fixes of one
	// millisecond count on from it.
	slack = 60_000
)

// bad reports whether x is known and no value that it can have.
func bad(x *float64, lo, hi float64) bool {
	return x != nil && (math.IsNaN(*x) || *x < lo || *x > hi)
}

// checkRequest refuses a batch as a whole.
func checkRequest(in pointsRequest) error {
	switch n := len(in.Points); {
	case n == 0:
		return problem.Field("points", "The batch is empty: send 1 to %d points.", maxPoints)
	case n > maxPoints:
		return problem.Field("points", "The batch has %d points; at most %d at a time.", n, maxPoints)
	}
	return nil
}
