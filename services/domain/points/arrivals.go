package points

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
)

const (
	// BinLength is the time for which Arrivals counts points together.
	BinLength = 50 * time.Millisecond
	// ArrivalsFor is how far back they are counted: the four seconds that a page
	// shows, and the time until it shows them.
	ArrivalsFor = 6 * time.Second

	bins = int64(ArrivalsFor / BinLength)
)

// Arrivals is the answer of GET /v1/arrivals: how many points arrived on each shard,
// as a live reader found them there. Times are ms since 1970 UTC.
type Arrivals struct {
	BinMS  int64           `json:"bin_ms"`
	End    int64           `json:"end"` // of the last bin, the one of now
	Shards []ShardArrivals `json:"shards"`
	// Drivers is how many sent those points; null: not known.
	Drivers *int `json:"drivers"`
}

// ShardArrivals are one shard's.
type ShardArrivals struct {
	Shard string `json:"shard"`
	// Through is when the newest arrived that is known to have been read: what the
	// bins have after it is not known yet. 0: nothing has been read.
	Through int64 `json:"through"`
	Bins    []int `json:"bins"` // the oldest first
}

// binned counts points by shard and time of arrival, and who sent them. It is safe
// for concurrent use.
type binned struct {
	mu       sync.Mutex
	byShard  map[string]*ring
	byDriver map[string]int64 // the bin of each driver's newest point
	pruned   int64            // the bin at which byDriver last forgot those who had gone
}

// ring has a count for each bin, and the bin's number, by which one of before is
// told from one of now.
type ring struct {
	number, count [bins]int64
}

func newBinned() *binned { return &binned{byShard: map[string]*ring{}, byDriver: map[string]int64{}} }

// note counts a point.
func (b *binned) note(shard, driver string, arrived time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()

	r, ok := b.byShard[shard]
	if !ok {
		r = &ring{}
		b.byShard[shard] = r
	}

	n := arrived.UnixMilli() / BinLength.Milliseconds()
	b.byDriver[driver] = max(b.byDriver[driver], n)
	if n-b.pruned >= bins {
		b.forget(n) // also while nobody asks
	}
	switch at := n % bins; {
	case n < r.number[at]: // older than what is counted
	case n > r.number[at]:
		r.number[at], r.count[at] = n, 1
	default:
		r.count[at]++
	}
}

// last returns a shard's bins up to the one of now.
func (b *binned) last(shard string, now int64) []int {
	b.mu.Lock()
	defer b.mu.Unlock()

	out := make([]int, bins)
	r, ok := b.byShard[shard]
	if !ok {
		return out
	}
	for i := range bins {
		if n := now - bins + 1 + i; r.number[n%bins] == n {
			out[i] = int(r.count[n%bins])
		}
	}
	return out
}

// drivers returns how many have sent a point in the bins up to the one of now.
func (b *binned) drivers(now int64) int {
	b.mu.Lock()
	defer b.mu.Unlock()

	b.forget(now)
	return len(b.byDriver)
}

// forget drops the drivers whose newest point is not counted any more; mu is held.
func (b *binned) forget(now int64) {
	b.pruned = max(b.pruned, now)
	maps.DeleteFunc(b.byDriver, func(_ string, newest int64) bool { return newest <= now-bins })
}

// Arrivals returns what lately arrived on every shard that is still written to.
func (l *Live) Arrivals() Arrivals {
	now := time.Now().UnixMilli() / BinLength.Milliseconds()
	out := Arrivals{BinMS: BinLength.Milliseconds(), End: (now + 1) * BinLength.Milliseconds(), Shards: []ShardArrivals{}}
	drivers := l.arrived.drivers(now)
	out.Drivers = &drivers

	for _, s := range l.reader.State() {
		if s.Closed {
			continue
		}
		one := ShardArrivals{Shard: s.Shard, Bins: l.arrived.last(s.Shard, now)}
		if !s.PolledAt.IsZero() {
			one.Through = s.Through.UnixMilli()
		}
		out.Shards = append(out.Shards, one)
	}

	slices.SortFunc(out.Shards, func(a, b ShardArrivals) int { return strings.Compare(a.Shard, b.Shard) })
	return out
}

func arrivalsRoute(arrivals func() Arrivals) httpserver.Route {
	answer := func(*http.Request) (any, error) { return arrivals(), nil }

	return httpserver.Route{
		Method: http.MethodGet, Path: "/v1/arrivals", Roles: []auth.Role{auth.Admin, auth.Service}, Handle: httpserver.Answer(answer),
	}
}
