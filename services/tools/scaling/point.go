package scaling

import (
	"fmt"
	"slices"
	"time"
)

// Point is one look at the queue and its workers.
type Point struct {
	At       time.Duration // since the first look
	Known    bool          // the queue answered; else only Workers is known
	Waiting  int           // messages
	InFlight int
	Workers  int
	Oldest   time.Duration // how long the oldest message that waits has waited
}

// Summary is what a run comes to.
type Summary struct {
	ScaleOuts, ScaleIns int
	Turns               int // changes of direction
	MostWorkers         int
	MostWaiting         int
	LongestWait         time.Duration
	WorkerHours         float64
}

// Sum returns the summary of points, the oldest first.
func Sum(points []Point) Summary {
	var s Summary
	way := 0

	for i, p := range points {
		s.MostWorkers, s.MostWaiting, s.LongestWait = max(s.MostWorkers, p.Workers), max(s.MostWaiting, p.Waiting), max(s.LongestWait, p.Oldest)
		if i == 0 {
			continue
		}

		before := points[i-1]
		s.WorkerHours += float64(before.Workers) * (p.At - before.At).Hours()
		step := p.Workers - before.Workers
		switch {
		case step > 0:
			s.ScaleOuts++
		case step < 0:
			s.ScaleIns++
		default:
			continue
		}
		if way*step < 0 {
			s.Turns++
		}
		way = step
	}
	return s
}

// String is the summary in a line.
func (s Summary) String() string {
	return fmt.Sprintf("%d scale-outs, %d scale-ins, %d changes of direction; at most %d workers, %d messages waiting and %s of waiting; %.1f worker hours",
		s.ScaleOuts, s.ScaleIns, s.Turns, s.MostWorkers, s.MostWaiting, s.LongestWait.Round(time.Second), s.WorkerHours)
}

// quantile returns the wait that a share q of waits does not exceed; waits is sorted.
func quantile(waits []time.Duration, q float64) time.Duration {
	if len(waits) == 0 {
		return 0
	}
	return waits[min(int(q*float64(len(waits))), len(waits)-1)]
}

func sorted(waits []time.Duration) []time.Duration {
	out := slices.Clone(waits)
	slices.Sort(out)
	return out
}
