package points

import (
	"maps"
	"sync"
	"time"
)

const (
	seenPerDriver = 8           // points remembered of a driver
	seenDrivers   = 100_000     // drivers remembered: about 60 MB
	seenFor       = time.Minute // a driver that was not seen for so long makes room for another
)

// Seen is one point as a reader applied it. Times are ms since 1970 UTC.
type Seen struct {
	Seq            int64  `json:"seq"`
	Shard          string `json:"shard"`
	SequenceNumber string `json:"sequence_number"`
	ArrivedAt      int64  `json:"arrived_at"` // on the stream
	AppliedAt      int64  `json:"applied_at"` // by this reader
}

// recent is the last points of each driver. Of more drivers than it has room for, those
// that are remembered stay so: to forget one for each other's point would cost every
// point, and remember nobody's last ones. It is safe for concurrent use.
type recent struct {
	most int // drivers

	mu       sync.Mutex
	byDriver map[string]*lastSeen
	swept    time.Time // when room was last made
}

// lastSeen is a ring of one driver's points.
type lastSeen struct {
	points [seenPerDriver]Seen
	n      int // points ever noted; the newest is points[(n-1) % seenPerDriver]
}

func (l *lastSeen) newest() Seen { return l.points[(l.n-1)%seenPerDriver] }

func newRecent() *recent { return &recent{most: seenDrivers, byDriver: map[string]*lastSeen{}} }

// see notes a point that was applied.
func (r *recent) see(a Arrival, applied time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()

	l, known := r.byDriver[a.Driver]
	if !known {
		if !r.room(applied) {
			return
		}
		l = &lastSeen{}
		r.byDriver[a.Driver] = l
	}

	l.points[l.n%seenPerDriver] = Seen{
		Seq: a.Seq, Shard: a.Shard, SequenceNumber: a.SequenceNumber,
		ArrivedAt: a.Arrived.UnixMilli(), AppliedAt: applied.UnixMilli(),
	}
	l.n++
}

// room reports whether one more driver can be remembered; mu is held. It is looked for
// once a minute at most: a look at all drivers for each point would hold up all of them.
func (r *recent) room(now time.Time) bool {
	if len(r.byDriver) < r.most {
		return true
	}
	if now.Sub(r.swept) < seenFor {
		return false
	}

	r.swept = now
	maps.DeleteFunc(r.byDriver, func(_ string, l *lastSeen) bool {
		return now.UnixMilli()-l.newest().AppliedAt >= seenFor.Milliseconds()
	})
	return len(r.byDriver) < r.most
}

// last returns a driver's last points, newest first.
func (r *recent) last(driver string) []Seen {
	r.mu.Lock()
	defer r.mu.Unlock()

	out := []Seen{}
	if l, known := r.byDriver[driver]; known {
		for i := l.n - 1; i >= max(0, l.n-seenPerDriver); i-- {
			out = append(out, l.points[i%seenPerDriver])
		}
	}
	return out
}
