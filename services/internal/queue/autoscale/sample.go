package autoscale

import "time"

// Sample is one look at the workers and at their queue.
type Sample struct {
	At      time.Time
	Workers int // how many were asked for at that time
	Ready   int // how many of them were at work
	Queue   *Queue
}

// Queue is what waits in a queue and what workers hold of it. A nil *Queue in a
// Sample means that this was not known.
type Queue struct {
	Visible  int           // ApproximateNumberOfMessages
	InFlight int           // ApproximateNumberOfMessagesNotVisible
	Oldest   time.Duration // how long the oldest message that waits has waited; 0: none does, or not known
}

// Trim returns the samples that Plan may still need at now, oldest first.
func (p Policy) Trim(now time.Time, s []Sample) []Sample {
	// One more than the wait is long: that it was long enough is seen from the first.
	keep := max(p.WarmUp, p.ScaleInAfter) + 2*p.Fresh
	for len(s) > 0 && now.Sub(s[0].At) > keep {
		s = s[1:]
	}
	return s
}

// warm is how many workers have been at work through all of the warm-up.
func (p Policy) warm(now time.Time, s []Sample) int {
	fewest := s[len(s)-1].Ready
	for i := len(s) - 1; i >= 0 && now.Sub(s[i].At) <= p.WarmUp; i-- {
		fewest = min(fewest, s[i].Ready)
	}
	return fewest
}

// sinceGrown is how long ago workers were added last; ok is false where that was
// before the first sample.
func sinceGrown(now time.Time, s []Sample) (ago time.Duration, by int, ok bool) {
	for i := len(s) - 1; i > 0; i-- {
		if by := s[i].Workers - s[i-1].Workers; by > 0 {
			return now.Sub(s[i].At), by, true
		}
	}
	return 0, 0, false
}

// enoughFor is how long one worker fewer than now has been enough without a break:
// as long as there were as many workers as now, and every look was answered.
func (p Policy) enoughFor(now time.Time, s []Sample) time.Duration {
	workers := s[len(s)-1].Workers
	next, since := now, now

	for i := len(s) - 1; i >= 0; i-- {
		look := s[i]
		if next.Sub(look.At) > p.Fresh || look.Workers != workers || !p.fewerDo(look, p.warm(look.At, s[:i+1])) {
			break
		}
		next, since = look.At, look.At
	}
	return now.Sub(since)
}

// fewerDo reports whether one worker fewer would have been enough at that look.
func (p Policy) fewerDo(look Sample, warm int) bool {
	if look.Queue == nil {
		return false // not known is no reason
	}
	left := min(look.Ready, look.Workers) - 1
	return p.need(*look.Queue, warm).workers < look.Workers && float64(look.Queue.InFlight) <= BusyShare*float64(left*p.Holds)
}
