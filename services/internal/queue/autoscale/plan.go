package autoscale

import (
	"math"
	"time"
)

// Decision is how many workers there should be, and why, in words for people.
type Decision struct {
	Want    int
	Because string
}

// Plan decides how many workers there should be at now. s are the looks at the queue,
// oldest first; the newest says how many workers there are. It keeps nothing and may
// be called concurrently. A policy that Check refuses changes nothing.
func Plan(now time.Time, s []Sample, p Policy) Decision {
	if len(s) == 0 {
		return Decision{p.Min, "nobody has looked at the queue yet"}
	}

	at := s[len(s)-1]
	if err := p.Check(); err != nil {
		return Decision{at.Workers, err.Error()}
	}

	if at.Workers != p.within(at.Workers) {
		return Decision{p.within(at.Workers), p.outside(at.Workers)}
	}

	if at.Queue == nil || now.Sub(at.At) > p.Fresh {
		return Decision{at.Workers, p.unknown(now, s)}
	}

	need := p.need(*at.Queue, p.warm(now, s))
	if need.workers > at.Workers {
		return p.out(now, s, need)
	}
	return p.in(now, s)
}

// out adds the workers that are needed, but not while others are on their way.
func (p Policy) out(now time.Time, s []Sample, need need) Decision {
	at := s[len(s)-1]

	// Until they count, the backlog grows because they are missing, and that is no
	// reason for others.
	if ago, by, ok := sinceGrown(now, s); ok && ago < p.WarmUp {
		return Decision{at.Workers, need.because + onTheWay(by, p.WarmUp-ago)}
	}

	if need.workers > p.Max {
		return Decision{p.Max, need.because + p.most()}
	}
	return Decision{need.workers, need.because}
}

// in retires one worker if one fewer has been enough for long.
func (p Policy) in(now time.Time, s []Sample) Decision {
	at := s[len(s)-1]
	calm := p.enoughFor(now, s)

	switch {
	case at.Workers == p.Min:
		return Decision{at.Workers, p.enough(at) + p.fewest()}
	case !p.fewerDo(at, p.warm(now, s)):
		return Decision{at.Workers, p.enough(at)}
	case calm < p.ScaleInAfter:
		return Decision{at.Workers, p.notYet(at, calm)}
	}
	return Decision{at.Workers - 1, p.fewer(at, calm)}
}

// need is how many workers the queue wants, without regard to how many there are.
type need struct {
	workers int
	because string
}

// need computes the workers from one look. warm is the number of workers that the age
// of the oldest message tells something about.
func (p Policy) need(q Queue, warm int) need {
	byBacklog := ceil(float64(max(q.Visible, 0)) / p.Acceptable())
	byAge := 0
	if q.Oldest > p.Latency && q.Visible > 0 {
		byAge = ceil(float64(max(warm, 1)) * float64(q.Oldest) / float64(p.Latency))
	}

	useful := ceil((float64(max(q.Visible, 0)) + float64(max(q.InFlight, 0))) / float64(p.Holds))
	want := max(byBacklog, byAge)

	switch {
	case want > useful:
		return need{useful, p.holdAll(q, useful)}
	case byAge > byBacklog:
		return need{want, p.tooOld(q, max(warm, 1), want)}
	}
	return need{want, p.backlog(q, want)}
}

// ceil rounds up to workers. No queue is so long that an int32 is too short for them.
func ceil(workers float64) int { return int(min(math.Ceil(workers), math.MaxInt32)) }
