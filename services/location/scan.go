package location

import (
	"bytes"

	"tandem/services/domain/event"
)

// scanPoints reads a batch in the form in which apps write it, in one pass: without
// spaces, escapes, exponents, null, and with each member once. It returns false for
// everything else, also for what is no JSON, and then httpserver.Decode judges, and has
// the words for what is wrong. Where it returns true, Decode would have read the same
// (FuzzScanPoints holds it to that).
//
// Decode takes each body apart twice and grows its slices as it goes: it was most of
// what a point cost here.
func scanPoints(b []byte) (in pointsRequest, ok bool) {
	s := event.NewScanner(b)
	named, listed := false, false

	ok = s.Next('{')
	for first := true; ok && !s.Next('}'); first = false {
		ok = first || s.Next(',')
		switch name := s.Name(); {
		case string(name) == "driver_id" && !named:
			named = true
			in.DriverID, ok = s.Text(ok)
		case string(name) == "points" && !listed:
			listed = true
			in.Points, ok = scanList(&s, ok, min(bytes.Count(b, []byte{'{'}), maxPoints))
		default:
			ok = false
		}
	}
	return in, ok && s.End()
}

// scanList reads the list of points; room is for how many of them it makes room first.
func scanList(s *event.Scanner, ok bool, room int) (points []point, _ bool) {
	ok = ok && s.Next('[')
	points = make([]point, 0, room)
	measured := make([]float64, 0, room*measures) // in one piece, of what is there

	for ok && !s.Next(']') {
		ok = len(points) == 0 || s.Next(',')
		var p point
		p, measured, ok = scanPoint(s, ok, measured)
		points = append(points, p)
	}
	return points, ok
}

// measures is how many of a point's members are numbers that may be missing.
const measures = 5

// The members that were seen, one bit each: Decode refuses one that is there twice.
const (
	sawSeq = 1 << iota
	sawAt
	sawLat
	sawLon
	sawSpeed
	sawHeading
	sawAccuracy
)

// scanPoint reads one point, and appends what was measured, to which it points.
func scanPoint(s *event.Scanner, ok bool, measured []float64) (p point, _ []float64, _ bool) {
	seen := 0
	once := func(member int) bool {
		again := seen&member != 0
		seen |= member
		return !again
	}
	number := func(member int) *float64 {
		var x float64
		x, ok = s.Number(ok && once(member))
		measured = append(measured, x)
		return &measured[len(measured)-1]
	}

	ok = ok && s.Next('{')
	for first := true; ok && !s.Next('}'); first = false {
		ok = first || s.Next(',')
		switch name := s.Name(); string(name) {
		case "seq":
			p.Seq, ok = s.Integer(ok && once(sawSeq))
		case "at":
			p.At, ok = s.Integer(ok && once(sawAt))
		case "lat":
			p.Lat = number(sawLat)
		case "lon":
			p.Lon = number(sawLon)
		case "speed":
			p.Speed = number(sawSpeed)
		case "heading":
			p.Heading = number(sawHeading)
		case "accuracy":
			p.Accuracy = number(sawAccuracy)
		default:
			ok = false
		}
	}
	return p, measured, ok
}
