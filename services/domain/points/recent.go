package points

import (
	"container/list"
	"sync"
	"time"
)

// Bounds of a Recent.
const (
	PerDriver  = 8      // points remembered of a driver
	MaxDrivers = 10_000 // drivers remembered; the one not seen for longest goes first
)

// Seen is one point as a reader applied it. Times are ms since 1970 UTC.
type Seen struct {
	Seq            int64  `json:"seq"`
	Shard          string `json:"shard"`
	SequenceNumber string `json:"sequence_number"`
	ArrivedAt      int64  `json:"arrived_at"` // on the stream
	AppliedAt      int64  `json:"applied_at"` // by this reader
}

// Recent is safe for concurrent use.
type Recent struct {
	mu     sync.Mutex
	by     map[string]*list.Element
	oldest *list.List // of *entry, front: seen last
}

type entry struct {
	driver string
	seen   []Seen // oldest first
}

// NewRecent makes an empty tracker.
func NewRecent() *Recent { return &Recent{by: map[string]*list.Element{}, oldest: list.New()} }

// See notes a point that was applied.
func (t *Recent) See(shard, sequence, driver string, seq int64, arrived, applied time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.by[driver]
	if !ok {
		e = t.oldest.PushFront(&entry{driver: driver})
		t.by[driver] = e
		if len(t.by) > MaxDrivers {
			last := t.oldest.Back()
			delete(t.by, t.oldest.Remove(last).(*entry).driver)
		}
	}
	t.oldest.MoveToFront(e)
	en := e.Value.(*entry)
	if len(en.seen) == PerDriver {
		copy(en.seen, en.seen[1:])
		en.seen = en.seen[:PerDriver-1]
	}
	en.seen = append(en.seen, Seen{
		Seq: seq, Shard: shard, SequenceNumber: sequence, ArrivedAt: arrived.UnixMilli(), AppliedAt: applied.UnixMilli(),
	})
}

// Last gives a driver's last points, newest first.
func (t *Recent) Last(driver string) []Seen {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := []Seen{}
	if e, ok := t.by[driver]; ok {
		seen := e.Value.(*entry).seen
		for i := len(seen) - 1; i >= 0; i-- {
			out = append(out, seen[i])
		}
	}
	return out
}
