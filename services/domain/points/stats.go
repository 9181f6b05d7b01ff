package points

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Detail is what a reader says of itself.
type Detail struct {
	Reader   string        `json:"reader"`
	Mode     string        `json:"mode,omitempty"` // how it reads, where there are several ways
	Records  int64         `json:"records"`
	Points   int64         `json:"points"`
	Latency  Latency       `json:"latency_ms"`
	Shards   []ShardDetail `json:"shards"`
	Repeated int64         `json:"repeated"` // points that were there already
	Skipped  int64         `json:"skipped"`  // points left out that may have been no repeats
	Parked   int64         `json:"parked"`   // records put aside
	Gaps     int64         `json:"gaps"`     // spans that could not be read
}

// Latency is from a point's arrival on the stream until it was applied, in
// milliseconds, over the last minutes.
type Latency struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// ShardDetail is how far a shard is read. Worker is who reads it, where several share.
type ShardDetail struct {
	Shard    string `json:"shard"`
	Sequence string `json:"sequence"`
	BehindMS int64  `json:"behind_ms"`
	Worker   string `json:"worker,omitempty"`
	Error    string `json:"error,omitempty"` // why it stands still
	Drained  bool   `json:"drained,omitempty"`
}

const (
	windows = 5 // of a minute each
	window  = time.Minute
	longest = 24 * time.Hour
)

// Stats is safe for concurrent use.
type Stats struct {
	now func() time.Time

	mu       sync.Mutex
	points   int64
	repeated int64
	skipped  int64
	latency  *hdrhistogram.WindowedHistogram
	rotated  time.Time
}

// NewStats makes empty counts.
func NewStats() *Stats {
	return &Stats{
		now: time.Now, rotated: time.Now(),
		latency: hdrhistogram.NewWindowed(windows, 1, longest.Milliseconds(), 2),
	}
}

// Applied counts points that were applied just now; arrived gives when each
// arrived on the stream.
func (s *Stats) Applied(arrived []time.Time) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rotate(now)
	s.points += int64(len(arrived))
	for _, a := range arrived {
		// What lies outside of the histogram is counted at its edge.
		_ = s.latency.Current.RecordValue(min(max(now.Sub(a).Milliseconds(), 1), longest.Milliseconds()))
	}
}

// AppliedLate counts points that were applied just now and lay there before the
// reader was: they are no measure of its latency.
func (s *Stats) AppliedLate(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points += int64(n)
}

// Repeated counts points that were there already, and so left out.
func (s *Stats) Repeated(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repeated += int64(n)
}

// Skipped counts points that were left out for not being newer than what the
// reader has of their driver: repeats, or out of order.
func (s *Stats) Skipped(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skipped += int64(n)
}

func (s *Stats) rotate(now time.Time) {
	for range windows {
		if now.Sub(s.rotated) < window {
			return
		}
		s.latency.Rotate()
		s.rotated = s.rotated.Add(window)
	}
	s.rotated = now
}

// Detail gives the counts. The caller adds what it knows of shards and records.
func (s *Stats) Detail(reader string) Detail {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rotate(s.now())
	h := s.latency.Merge()
	return Detail{
		Reader: reader, Points: s.points, Repeated: s.repeated, Skipped: s.skipped, Shards: []ShardDetail{},
		Latency: Latency{P50: float64(h.ValueAtQuantile(50)), P99: float64(h.ValueAtQuantile(99)), Max: float64(h.Max())},
	}
}
