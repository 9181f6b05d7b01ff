package points

import (
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	seenPerDriver = 8      // points remembered of a driver
	seenDrivers   = 10_000 // drivers remembered; the one not seen for longest is dropped first
)

// Seen is one point as a reader applied it. Times are ms since 1970 UTC.
type Seen struct {
	Seq            int64  `json:"seq"`
	Shard          string `json:"shard"`
	SequenceNumber string `json:"sequence_number"`
	ArrivedAt      int64  `json:"arrived_at"` // on the stream
	AppliedAt      int64  `json:"applied_at"` // by this reader
}

// recent is the last points of each driver. It is safe for concurrent use.
type recent struct {
	mu       sync.Mutex
	byDriver *simplelru.LRU[string, []Seen] // oldest first
}

func newRecent() *recent {
	byDriver, _ := simplelru.NewLRU[string, []Seen](seenDrivers, nil) // fails only for a size below 1
	return &recent{byDriver: byDriver}
}

// see notes a point that was applied.
func (r *recent) see(a Arrival, applied time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()

	seen, _ := r.byDriver.Get(a.Driver)
	if len(seen) == seenPerDriver {
		seen = slices.Delete(seen, 0, 1)
	}

	r.byDriver.Add(a.Driver, append(seen, Seen{
		Seq: a.Seq, Shard: a.Shard, SequenceNumber: a.SequenceNumber,
		ArrivedAt: a.Arrived.UnixMilli(), AppliedAt: applied.UnixMilli(),
	}))
}

// last returns a driver's last points, newest first.
func (r *recent) last(driver string) []Seen {
	r.mu.Lock()
	defer r.mu.Unlock()

	seen, _ := r.byDriver.Peek(driver) // to be asked about is not to be seen

	out := append([]Seen{}, seen...)
	slices.Reverse(out)
	return out
}
