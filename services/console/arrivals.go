package console

import "time"

const (
	arrivalsFor   = 10 * time.Minute
	arrivalsEvery = time.Second
)

// arrivals is how many points location had put on each shard, and when: as far
// back as somebody has looked at the console.
type arrivals map[string][]arrived

type arrived struct {
	at    time.Time
	total int64 // since location started
}

// note remembers a shard's total.
func (a arrivals) note(shard string, at time.Time, total int64) {
	all := a[shard]
	if n := len(all); n > 0 {
		last := &all[n-1]
		switch {
		case total < last.total:
			all = nil // location started anew, and counts from 0
		case !at.After(last.at):
			return
		case n > 1 && at.Sub(all[n-2].at) < arrivalsEvery:
			*last = arrived{at, total}
			return
		}
	}

	for len(all) > 0 && at.Sub(all[0].at) > arrivalsFor {
		all = all[1:]
	}
	a[shard] = append(all, arrived{at, total})
}

// since returns about how many points have been put on a shard since t. It is not
// known where nobody looked at that time.
func (a arrivals) since(shard string, t time.Time) (n int64, known bool) {
	all := a[shard]
	if len(all) == 0 || t.Before(all[0].at) {
		return 0, false
	}

	last := all[len(all)-1]
	if !t.Before(last.at) {
		return 0, true
	}
	for i := len(all) - 2; i >= 0; i-- {
		if from := all[i]; !t.Before(from.at) {
			// Between two looks they came evenly, for all that is known.
			to := all[i+1]
			share := float64(t.Sub(from.at)) / float64(to.at.Sub(from.at))
			return last.total - from.total - int64(share*float64(to.total-from.total)), true
		}
	}
	return 0, false
}
