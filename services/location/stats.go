package location

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// rateWindow is what rates are averaged over.
const rateWindow = 5 * time.Second

// stats is what GET /v1/status says of location. It is safe for concurrent use.
type stats struct {
	accepted, refused atomic.Int64

	mu      sync.Mutex
	latency *hdrhistogram.Histogram // ms
	shards  map[string]*shardStats
}

// shardStats are one shard's totals, and what they were when the window began.
type shardStats struct {
	points, records, bytes int64
	before                 [3]int64
	since                  time.Time
	rates                  *shardRates // nil until the first window has ended: not known is not 0
}

func newStats() *stats {
	return &stats{latency: hdrhistogram.New(1, 60_000, 3), shards: map[string]*shardStats{}}
}

// put counts what a request put on the stream, and how long it waited for that.
func (s *stats) put(acked int, took time.Duration) {
	s.accepted.Add(int64(acked))
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.latency.RecordValue(min(max(took.Milliseconds(), 1), 60_000)) // in range by the clamp
}

// report counts a record that was acknowledged, and reports whether it is the first one of
// its shard.
func (s *stats) report(shard string, points, bytes int) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()

	sh, ok := s.shards[shard]
	if !ok {
		sh = &shardStats{since: time.Now()}
		s.shards[shard] = sh
	}

	// First, so that this record counts in the window that it belongs to.
	sh.roll(time.Now())
	sh.points += int64(points)
	sh.records++
	sh.bytes += int64(bytes)
	return !ok
}

// roll ends the window, once it is long enough.
func (s *shardStats) roll(now time.Time) {
	took := now.Sub(s.since)
	if took < rateWindow {
		return
	}

	var rates [3]float64
	totals := [3]int64{s.points, s.records, s.bytes}
	for i, total := range totals {
		rates[i] = float64(total-s.before[i]) / took.Seconds()
	}
	s.rates, s.before, s.since = &shardRates{rates[0], rates[1], rates[2]}, totals, now
}

type shardDetail struct {
	Shard       string `json:"shard"`
	Points      int64  `json:"points"` // since this process started
	*shardRates        // missing until they are known
}

type shardRates struct {
	Points  float64 `json:"points_per_s"`
	Records float64 `json:"records_per_s"`
	Bytes   float64 `json:"bytes_per_s"`
}

type detail struct {
	Points  int64              `json:"points"`
	Refused int64              `json:"refused"`
	Latency map[string]float64 `json:"latency_ms"`
	Shards  []shardDetail      `json:"shards"`
}

func (s *stats) detail() any {
	s.mu.Lock()
	defer s.mu.Unlock()

	d := detail{Points: s.accepted.Load(), Refused: s.refused.Load(), Shards: []shardDetail{}, Latency: map[string]float64{
		"p50": float64(s.latency.ValueAtQuantile(50)), "p99": float64(s.latency.ValueAtQuantile(99)),
	}}

	for _, name := range slices.Sorted(maps.Keys(s.shards)) {
		sh := s.shards[name]
		sh.roll(time.Now())
		d.Shards = append(d.Shards, shardDetail{name, sh.points, sh.rates})
	}

	return d
}
