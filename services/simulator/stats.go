package simulator

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"tandem/services/client"
)

// Report is what the simulator saw, as any app would. It is the detail of
// GET /v1/status, and is written to Config.ReportPath at the end.
type Report struct {
	// Phase is warming, running, draining (no new riders; rides under way are
	// finished) or finished.
	Phase   string               `json:"phase"`
	OnRoad  int64                `json:"drivers_on_road"`
	Open    int                  `json:"rides_open"`
	Rides   RideCounts           `json:"rides"`
	Points  PointCounts          `json:"points"`
	Latency map[string]Quantiles `json:"latency_ms"`
}

// RideCounts are rides by how they went.
type RideCounts struct {
	Requested   int64 `json:"requested"`
	Booked      int64 `json:"booked"` // answered with 201
	Assigned    int64 `json:"assigned"`
	Completed   int64 `json:"completed"`
	Cancelled   int64 `json:"cancelled"`
	Unfulfilled int64 `json:"unfulfilled"`
}

// PointCounts are points by what location answered.
type PointCounts struct {
	Accepted int64 `json:"accepted"`
	Refused  int64 `json:"refused"`
	Resent   int64 `json:"resent"` // sent again after an answer that was no 202
}

// Quantiles of a latency in ms.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

type stats struct {
	mu       sync.Mutex
	phase    string
	rides    RideCounts
	points   PointCounts
	assigned map[string]bool // rides under way that were seen assigned
	toAssign *hdrhistogram.Histogram
	toAccept *hdrhistogram.Histogram
}

// Latencies from 1 ms to 10 minutes with three digits.
func newStats() *stats {
	return &stats{
		phase: "warming", assigned: map[string]bool{},
		toAssign: hdrhistogram.New(1, 600_000, 3), toAccept: hdrhistogram.New(1, 600_000, 3),
	}
}

func (s *stats) setPhase(phase string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = phase
}

func (s *stats) requested() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rides.Requested++
}

func (s *stats) booked(r client.Ride) {
	s.mu.Lock()
	s.rides.Booked++
	s.mu.Unlock()
	s.seen(r)
}

// seen notes the first time that a ride has a driver: from the 201 (the ride's
// requested_at) to the accept (its assigned_at), by booking's clock.
func (s *stats) seen(r client.Ride) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.AssignedAt == nil || s.assigned[r.ID] {
		return
	}

	s.assigned[r.ID] = true
	s.rides.Assigned++
	record(s.toAssign, r.AssignedAt.Sub(r.RequestedAt))
}

func (s *stats) ended(r client.Ride) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.assigned, r.ID)
	switch r.State {
	case client.Completed:
		s.rides.Completed++
	case client.Cancelled:
		s.rides.Cancelled++
	case client.Unfulfilled:
		s.rides.Unfulfilled++
	}
}

func (s *stats) batch(a client.PointsAnswer, promised, waited int, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points.Accepted += int64(promised)
	s.points.Refused += int64(len(a.Refused))

	// Only an answer has a latency: a batch without one would count its time-out.
	if a.Status != 202 && a.Status != 400 {
		s.points.Resent += int64(waited - promised)
		return
	}
	record(s.toAccept, took)
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Milliseconds(), 1), h.HighestTrackableValue())) // in range by the clamp
}

func (s *stats) report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := func(h *hdrhistogram.Histogram) Quantiles {
		return Quantiles{float64(h.ValueAtQuantile(50)), float64(h.ValueAtQuantile(99))}
	}
	return Report{
		Phase: s.phase, Rides: s.rides, Points: s.points,
		Latency: map[string]Quantiles{"booked_to_assigned": q(s.toAssign), "points_202": q(s.toAccept)},
	}
}
