package event

// scan reads a point in the very form that Encode writes it, in one pass: without
// spaces, escapes, exponents or members that it does not know. It returns false for
// everything else, also for what is no JSON, and then encoding/json decides. Where it
// returns true, encoding/json would have read the same (FuzzScan holds it to that).
//
// Every reader decodes every point, and encoding/json takes four times as long.
func scan(b []byte) (w wire, ok bool) {
	s := scanner{b: b}
	measured := &[3]float64{} // in one piece, of what is there

	ok = s.next('{')
	for first := true; ok && !s.next('}'); first = false {
		ok = first || s.next(',')
		switch name := s.name(); string(name) {
		case "v":
			var v int64
			v, ok = s.integer(ok)
			w.Version = int(v)
		case "driver":
			w.Driver, ok = s.text(ok)
		case "seq":
			w.Seq, ok = s.integer(ok)
		case "at":
			w.At, ok = s.integer(ok)
		case "lat":
			w.Lat, ok = s.number(ok)
		case "lon":
			w.Lon, ok = s.number(ok)
		case "speed":
			w.Speed = &measured[0]
			measured[0], ok = s.number(ok)
		case "heading":
			w.Heading = &measured[1]
			measured[1], ok = s.number(ok)
		case "accuracy":
			w.Accuracy = &measured[2]
			measured[2], ok = s.number(ok)
		case "taken":
			w.Taken, ok = s.integer(ok)
		default:
			ok = false
		}
	}
	return w, ok && s.at == len(b)
}

// scanner is a place in the bytes. Its methods go on from what they have read, and
// those that take ok do nothing where it is false.
type scanner struct {
	b  []byte
	at int
}

// next reports whether c is next, and passes over it.
func (s *scanner) next(c byte) bool {
	if s.at < len(s.b) && s.b[s.at] == c {
		s.at++
		return true
	}
	return false
}

// name returns a member's name, with the colon behind it read; empty: there is none.
func (s *scanner) name() []byte {
	name, ok := s.quoted(true)
	if !ok || !s.next(':') {
		return nil
	}
	return name
}

func (s *scanner) text(ok bool) (string, bool) {
	b, ok := s.quoted(ok)
	return string(b), ok
}

// quoted returns what stands between quotes, if it is ASCII and needs no unescaping.
func (s *scanner) quoted(ok bool) ([]byte, bool) {
	if !ok || !s.next('"') {
		return nil, false
	}
	from := s.at
	for ; s.at < len(s.b); s.at++ {
		switch c := s.b[s.at]; {
		case c == '"':
			s.at++
			return s.b[from : s.at-1], true
		case c < ' ' || c > '~' || c == '\\':
			return nil, false
		}
	}
	return nil, false
}

// integer returns a whole number that an int64 surely holds.
func (s *scanner) integer(ok bool) (int64, bool) {
	if !ok {
		return 0, false
	}
	minus := s.next('-')
	n, digits := s.whole()
	if digits == 0 || digits > maxDigits || !s.ends() {
		return 0, false
	}
	if minus {
		n = -n
	}
	return n, true
}

// number returns a decimal number that float64 division rounds as strconv does: its
// digits are a whole number below 2^53, and the power of ten is exact (Clinger, "How
// to read floating point numbers accurately", 1990).
func (s *scanner) number(ok bool) (float64, bool) {
	if !ok {
		return 0, false
	}
	minus := s.next('-')
	n, digits := s.whole()
	if digits == 0 {
		return 0, false
	}

	decimals := 0
	if s.next('.') {
		if n, decimals = s.digits(n); decimals == 0 {
			return 0, false
		}
	}
	if digits+decimals > maxDigits || !s.ends() {
		return 0, false
	}

	x := float64(n) / tens[decimals]
	if minus {
		x = -x // also of 0, which JSON can say
	}
	return x, true
}

// maxDigits keeps a number's digits below 2^53.
const maxDigits = 15

var tens = [maxDigits + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// whole returns a number's digits before the point and how many they are; 0: none, or
// a 0 leads others, which JSON does not have.
func (s *scanner) whole() (n int64, digits int) {
	zero := s.at < len(s.b) && s.b[s.at] == '0'
	if n, digits = s.digits(0); zero && digits > 1 {
		return 0, 0
	}
	return n, digits
}

// digits appends the digits that come next to n, and returns how many they are. More
// than maxDigits of them may be no number any more.
func (s *scanner) digits(n int64) (int64, int) {
	from := s.at
	for s.at < len(s.b) && s.b[s.at] >= '0' && s.b[s.at] <= '9' {
		n = n*10 + int64(s.b[s.at]-'0')
		s.at++
	}
	return n, s.at - from
}

// ends reports whether a number ends here, and not with an exponent.
func (s *scanner) ends() bool {
	return s.at < len(s.b) && (s.b[s.at] == ',' || s.b[s.at] == '}')
}
