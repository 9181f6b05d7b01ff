package autoscale

import (
	"fmt"
	"math"
	"time"
)

// The sentences of a Decision. They say "messages", because only the caller knows what
// the messages are about.

func (p Policy) backlog(q Queue, want int) string {
	return fmt.Sprintf("%s and a worker takes %.0f a minute: %s would clear them within %s", waits(q.Visible), math.Round(p.PerMinute()), workers(want), p.Latency)
}

func (p Policy) tooOld(q Queue, warm, want int) string {
	return fmt.Sprintf("the oldest message has waited %s with %s at work, and %s is acceptable: %s", short(q.Oldest), workers(warm), p.Latency, workers(want))
}

func (p Policy) holdAll(q Queue, useful int) string {
	return fmt.Sprintf("%s and %s: %s can hold them all", waits(q.Visible), flight(q.InFlight), workers(useful))
}

func (p Policy) enough(at Sample) string {
	return fmt.Sprintf("%s and %s, of %d that %s can hold: as it should be", waits(at.Queue.Visible), flight(at.Queue.InFlight), at.Workers*p.Holds, workers(at.Workers))
}

func (p Policy) notYet(at Sample, calm time.Duration) string {
	return fmt.Sprintf("%s and %s: %s would do, for %s now; one is retired after %s of this", waits(at.Queue.Visible), flight(at.Queue.InFlight), workers(at.Workers-1), short(calm), p.ScaleInAfter)
}

func (p Policy) fewer(at Sample, calm time.Duration) string {
	return fmt.Sprintf("%s and %s: %s would have done for %s", waits(at.Queue.Visible), flight(at.Queue.InFlight), workers(at.Workers-1), short(calm))
}

func (p Policy) unknown(now time.Time, s []Sample) string {
	at := s[len(s)-1]
	for i := len(s) - 1; i >= 0; i-- {
		if s[i].Queue != nil {
			return fmt.Sprintf("the queue has not answered for %s: %s as before", short(now.Sub(s[i].At)), workers(at.Workers))
		}
	}
	return fmt.Sprintf("the queue has not answered for %s or more: %s as before", short(now.Sub(s[0].At)), workers(at.Workers))
}

func (p Policy) outside(have int) string {
	return fmt.Sprintf("%s: %d to %d are allowed", workers(have), p.Min, p.Max)
}

func (p Policy) most() string   { return fmt.Sprintf("; %d is the most that is allowed", p.Max) }
func (p Policy) fewest() string { return fmt.Sprintf("; %d is the fewest that is allowed", p.Min) }

func onTheWay(by int, left time.Duration) string {
	return fmt.Sprintf("; first %s, just added, may show for %s what that changes", workers(by), short(left))
}

func waits(n int) string {
	switch n {
	case 0:
		return "no message waits"
	case 1:
		return "1 message waits"
	}
	return fmt.Sprintf("%d messages wait", n)
}

func flight(n int) string {
	if n == 1 {
		return "1 is in flight"
	}
	return fmt.Sprintf("%d are in flight", n)
}

func workers(n int) string {
	if n == 1 {
		return "1 worker"
	}
	return fmt.Sprintf("%d workers", n)
}

func short(d time.Duration) string { return d.Round(time.Second).String() }
