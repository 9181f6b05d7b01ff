package event

// Mark is the newest sequence of each driver. A point that is not above it is a
// repeat, or older than what was applied. It is not safe for concurrent
// use, and it grows with the number of drivers.
type Mark map[string]int64

// NewMark returns an empty mark.
func NewMark() Mark { return Mark{} }

// Rises reports whether seq is above the driver's mark, and raises it if so.
func (m Mark) Rises(driver string, seq int64) bool {
	if seq <= m[driver] {
		return false
	}
	m[driver] = seq
	return true
}
