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

	now     func() time.Time
	mu      sync.Mutex
	latency *hdrhistogram.WindowedHistogram // ms
	rotated time.Time
	shards  map[string]*shardStats
}

// The latency is of the last minutes.
const (
	windows = 5
	window  = time.Minute
)

// shardStats are one shard's totals, and what they were when the window began.
type shardStats struct {
	points, records, bytes int64
	before                 [3]int64
	since                  time.Time
	rates                  *shardRates // nil until the first window has ended: not known is not 0
}

func newStats() *stats {
	return &stats{now: time.Now, latency: hdrhistogram.NewWindowed(windows, 1, 60_000, 3), rotated: time.Now(), shards: map[string]*shardStats{}}
}

// put counts what a request put on the stream, and how long it waited for that.
func (s *stats) put(acked int, took time.Duration) {
	s.accepted.Add(int64(acked))
	s.mu.Lock()
	defer s.mu.Unlock()

	s.rotate()
	_ = s.latency.Current.RecordValue(min(max(took.Milliseconds(), 1), 60_000)) // in range by the clamp
}

// rotate drops the windows that are too old; mu is held.
func (s *stats) rotate() {
	past := int(s.now().Sub(s.rotated) / window)
	s.rotated = s.rotated.Add(time.Duration(past) * window)
	for range min(past, windows) {
		s.latency.Rotate()
	}
}

// report counts a record that was acknowledged, and reports whether it is the first one of
// its shard.
func (s *stats) report(shard string, points, bytes int) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()

	sh, ok := s.shards[shard]
	if !ok {
		sh = &shardStats{since: s.now()}
		s.shards[shard] = sh
	}

	// First, so that this record counts in the window that it belongs to.
	sh.roll(s.now())
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
	Points  int64         `json:"points"`
	Refused int64         `json:"refused"`
	Latency *latency      `json:"latency_ms"` // null: nothing was put in the last minutes
	Shards  []shardDetail `json:"shards"`
}

// latency is how long requests waited for their points to be durable, in milliseconds.
type latency struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

func (s *stats) detail() any {
	s.mu.Lock()
	defer s.mu.Unlock()

	d := detail{Points: s.accepted.Load(), Refused: s.refused.Load(), Shards: []shardDetail{}}
	s.rotate()
	if h := s.latency.Merge(); h.TotalCount() > 0 {
		d.Latency = &latency{float64(h.ValueAtQuantile(50)), float64(h.ValueAtQuantile(99))}
	}

	for _, name := range slices.Sorted(maps.Keys(s.shards)) {
		sh := s.shards[name]
		sh.roll(s.now())
		d.Shards = append(d.Shards, shardDetail{name, sh.points, sh.rates})
	}

	return d
}
