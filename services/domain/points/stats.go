package points

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Detail is what a reader says of itself in GET /v1/status.
type Detail struct {
	Reader   string        `json:"reader"`
	Mode     string        `json:"mode,omitempty"` // how it reads, where there are several ways
	Records  int64         `json:"records"`
	Points   int64         `json:"points"`     // applied; those repeated or skipped are not among them
	Latency  *Latency      `json:"latency_ms"` // null: no point was applied in the last minutes
	Shards   []ShardDetail `json:"shards"`
	Repeated int64         `json:"repeated"` // points that were applied before
	Skipped  int64         `json:"skipped"`  // points left out because they do not rise: repeats, or out of order
	Parked   int64         `json:"parked"`   // records set aside
	Gaps     int64         `json:"gaps"`     // spans of the stream that could not be read
}

// Latency is from a point's arrival on the stream until it was applied, in
// milliseconds, over the last minutes.
type Latency struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// ShardDetail is how far a shard is read.
type ShardDetail struct {
	Shard    string `json:"shard"`
	Sequence string `json:"sequence"`
	BehindMS *int64 `json:"behind_ms"`          // null: this process does not know it, as it does not read the shard
	HeardAt  int64  `json:"heard_at,omitempty"` // when the stream last answered for the shard, ms since 1970 UTC; 0: not yet
	Worker   string `json:"worker,omitempty"`   // of a Group: who reads the shard
	Error    string `json:"error,omitempty"`    // why reading stands still
	Drained  bool   `json:"drained,omitempty"`
	Paused   bool   `json:"paused,omitempty"` // by a person: nobody reads the shard, and behind_ms climbs
}

func knownMS(d time.Duration, known bool) *int64 {
	if !known {
		return nil
	}
	ms := d.Milliseconds()
	return &ms
}

func unixMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

const (
	windows = 5 // of a minute each
	window  = time.Minute
	longest = 24 * time.Hour
)

// stats counts points and measures latency. It is safe for concurrent use.
type stats struct {
	now   func() time.Time
	since time.Time // what arrived before is no measure of the latency

	mu      sync.Mutex
	points  int64
	out     Outcome
	latency *hdrhistogram.WindowedHistogram
	rotated time.Time
}

func newStats(since time.Time) *stats {
	return &stats{
		now: time.Now, since: since, rotated: time.Now(),
		latency: hdrhistogram.NewWindowed(windows, 1, longest.Milliseconds(), 2),
	}
}

// applied counts points that had an effect just now, beside those of out, which
// had none, and measures the latency of batch.
func (s *stats) applied(points int, batch []Arrival, out Outcome) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()

	s.rotate(now)
	s.points += int64(points)
	s.out.Repeated += out.Repeated
	s.out.Skipped += out.Skipped
	for _, a := range batch {
		if !a.Arrived.Before(s.since) {
			// What lies outside of the histogram is counted at its edge.
			_ = s.latency.Current.RecordValue(min(max(now.Sub(a.Arrived).Milliseconds(), 1), longest.Milliseconds()))
		}
	}
}

// rotate drops the windows that are too old.
func (s *stats) rotate(now time.Time) {
	for range windows {
		if now.Sub(s.rotated) < window {
			return
		}
		s.latency.Rotate()
		s.rotated = s.rotated.Add(window)
	}

	// All windows are empty by now, however long the reader was idle.
	s.rotated = now
}

// detail returns the counts. The caller adds what it knows of shards and records.
func (s *stats) detail(reader string) Detail {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.rotate(s.now())
	d := Detail{
		Reader: reader, Points: s.points, Repeated: int64(s.out.Repeated), Skipped: int64(s.out.Skipped), Shards: []ShardDetail{},
	}
	if h := s.latency.Merge(); h.TotalCount() > 0 {
		d.Latency = &Latency{P50: float64(h.ValueAtQuantile(50)), P99: float64(h.ValueAtQuantile(99)), Max: float64(h.Max())}
	}
	return d
}
