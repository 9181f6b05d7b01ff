package points

import "github.com/hashicorp/golang-lru/v2/simplelru"

// maxMarks bounds the marks that a reader remembers: those of the drivers heard of
// last. A Group looks a forgotten one up in its database. A Live keeps nothing
// else: if an old copy of a point came after points of so many other drivers, it
// would apply the copy as a new point.
const maxMarks = 100_000

// marks is the newest sequence of each of the drivers heard of last. It is not
// safe for concurrent use.
type marks struct{ *simplelru.LRU[string, int64] }

func newMarks() marks {
	lru, _ := simplelru.NewLRU[string, int64](maxMarks, nil) // fails only for a size below 1
	return marks{lru}
}

// rises reports whether seq is above the driver's mark, and raises it if so.
func (m marks) rises(driver string, seq int64) bool {
	newest, _ := m.Get(driver) // which also says that the driver was heard of
	if seq <= newest {
		return false
	}
	m.Add(driver, seq)
	return true
}
