package event

// scan reads a point in the very form that Encode writes it, in one pass: without
// spaces, escapes, exponents or members that it does not know. It returns false for
// everything else, also for what is no JSON, and then encoding/json decides. Where it
// returns true, encoding/json would have read the same (FuzzScan holds it to that).
//
// Every reader decodes every point, and encoding/json takes four times as long.
func scan(b []byte) (w wire, ok bool) {
	s := NewScanner(b)
	measured := &[3]float64{} // in one piece, of what is there

	ok = s.Next('{')
	for first := true; ok && !s.Next('}'); first = false {
		ok = first || s.Next(',')
		switch name := s.Name(); string(name) {
		case "v":
			var v int64
			v, ok = s.Integer(ok)
			w.Version = int(v)
		case "driver":
			w.Driver, ok = s.Text(ok)
		case "seq":
			w.Seq, ok = s.Integer(ok)
		case "at":
			w.At, ok = s.Integer(ok)
		case "lat":
			w.Lat, ok = s.Number(ok)
		case "lon":
			w.Lon, ok = s.Number(ok)
		case "speed":
			w.Speed = &measured[0]
			measured[0], ok = s.Number(ok)
		case "heading":
			w.Heading = &measured[1]
			measured[1], ok = s.Number(ok)
		case "accuracy":
			w.Accuracy = &measured[2]
			measured[2], ok = s.Number(ok)
		case "taken":
			w.Taken, ok = s.Integer(ok)
		default:
			ok = false
		}
	}
	return w, ok && s.End()
}
