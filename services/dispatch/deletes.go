package dispatch

import (
	"sync"
	"time"
)

// deletedFor is how long a worker remembers that it deleted a message.
const deletedFor = 30 * time.Second

// deletes are the times of a worker's last deletes, for a page that shows them. It
// is safe for concurrent use.
type deletes struct {
	mu sync.Mutex
	at []int64 // ms since 1970 UTC, the oldest first
}

func (d *deletes) note(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = append(since(d.at, at.Add(-deletedFor)), at.UnixMilli())
}

// lately returns the times of the deletes that are remembered at now.
func (d *deletes) lately(now time.Time) []int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = since(d.at, now.Add(-deletedFor))
	return append([]int64{}, d.at...)
}

func since(at []int64, from time.Time) []int64 {
	for len(at) > 0 && at[0] < from.UnixMilli() {
		at = at[1:]
	}
	return at
}
