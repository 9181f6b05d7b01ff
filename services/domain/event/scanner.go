package event

import "strconv"

// Scanner reads JSON in the one form that Encode and most clients write: without
// spaces, escapes and exponents. It decides nothing: where it reports false, the text
// may be JSON all the same, and encoding/json has to judge it. Its methods go on from
// what they have read, and those that take ok do nothing where it is false.
type Scanner struct {
	b  []byte
	at int
}

// NewScanner returns a Scanner at the start of b, which it does not change or keep.
func NewScanner(b []byte) Scanner { return Scanner{b: b} }

// End reports whether all has been read.
func (s *Scanner) End() bool { return s.at == len(s.b) }

// Next reports whether c is next, and passes over it.
func (s *Scanner) Next(c byte) bool {
	if s.at < len(s.b) && s.b[s.at] == c {
		s.at++
		return true
	}
	return false
}

// Name returns a member's name, with the colon behind it read; empty: there is none.
func (s *Scanner) Name() []byte {
	name, ok := s.quoted(true)
	if !ok || !s.Next(':') {
		return nil
	}
	return name
}

// Text returns a string of printable ASCII.
func (s *Scanner) Text(ok bool) (string, bool) {
	b, ok := s.quoted(ok)
	return string(b), ok
}

// quoted returns what stands between quotes, if it is ASCII and needs no unescaping.
func (s *Scanner) quoted(ok bool) ([]byte, bool) {
	if !ok || !s.Next('"') {
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

// Integer returns a whole number that an int64 surely holds.
func (s *Scanner) Integer(ok bool) (int64, bool) {
	if !ok {
		return 0, false
	}
	minus := s.Next('-')
	n, digits := s.whole()
	if digits == 0 || digits > maxDigits || !s.ends() {
		return 0, false
	}
	if minus {
		n = -n
	}
	return n, true
}

// Number returns a decimal number as strconv rounds it. Where its digits are a whole
// number below 2^53, the power of ten is exact, and a division rounds the same (Clinger,
// "How to read floating point numbers accurately", 1990).
func (s *Scanner) Number(ok bool) (float64, bool) {
	if !ok {
		return 0, false
	}
	from := s.at
	minus := s.Next('-')
	n, digits := s.whole()
	if digits == 0 {
		return 0, false
	}

	decimals := 0
	if s.Next('.') {
		if n, decimals = s.digits(n); decimals == 0 {
			return 0, false
		}
	}
	if !s.ends() {
		return 0, false
	}
	if digits+decimals > maxDigits { // a device's seventeen
		x, err := strconv.ParseFloat(string(s.b[from:s.at]), 64)
		return x, err == nil
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
func (s *Scanner) whole() (n int64, digits int) {
	zero := s.at < len(s.b) && s.b[s.at] == '0'
	if n, digits = s.digits(0); zero && digits > 1 {
		return 0, 0
	}
	return n, digits
}

// digits appends the digits that come next to n, and returns how many they are. More
// than maxDigits of them may be no number any more.
func (s *Scanner) digits(n int64) (int64, int) {
	from := s.at
	for s.at < len(s.b) && s.b[s.at] >= '0' && s.b[s.at] <= '9' {
		n = n*10 + int64(s.b[s.at]-'0')
		s.at++
	}
	return n, s.at - from
}

// ends reports whether a number ends here, and not with an exponent.
func (s *Scanner) ends() bool {
	return s.at < len(s.b) && (s.b[s.at] == ',' || s.b[s.at] == '}')
}
