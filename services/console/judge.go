package console

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	lagAlarm     = 10 * time.Second
	backlogAlarm = 50 // messages that wait
)

// judge says in one sentence what is wrong, the most urgent trouble first, or
// that all is well. It decides from o alone.
func judge(o Overview) (ok bool, sentence string) {
	// First what does not work at all: it explains most of what would follow.
	if down := downServices(o); len(down) > 0 {
		verb := "does"
		if len(down) > 1 {
			verb = "do"
		}
		return false, fmt.Sprintf("%s %s not answer: look at the logs; work waits on queue and stream until then.", strings.Join(down, ", "), verb)
	}

	for _, q := range o.Queues {
		if q.Error != "" {
			return false, fmt.Sprintf("The queue %s cannot be looked at: %s", q.Name, q.Error)
		}
	}

	if why := notReady(o); why != "" {
		return false, why
	}

	// All parts work. Is anything left undone?
	for _, q := range o.Queues {
		switch {
		case q.Dead && q.Visible > 0:
			return false, fmt.Sprintf("%d dead %s in %s: look at them, then redrive or discard.", q.Visible, plural(q.Visible, "letter"), q.Name)
		case !q.Dead && q.Visible > backlogAlarm:
			return false, fmt.Sprintf("%d messages wait in %s: the workers do not keep up.", q.Visible, q.Name)
		}
	}

	for _, r := range o.Readers {
		if r.Parked > 0 {
			return false, fmt.Sprintf("%s has set %d %s aside that it could not handle.", r.Reader, r.Parked, plural(int(r.Parked), "record"))
		}
		if behind := time.Duration(r.BehindMS) * time.Millisecond; behind > lagAlarm {
			return false, fmt.Sprintf("%s is %s behind the stream; the others are not held up.", r.Reader, behind.Round(time.Second))
		}
	}

	return true, wellSentence(o)
}

func wellSentence(o Overview) string {
	waiting := 0
	for _, q := range o.Queues {
		waiting += q.Visible
	}

	wait := "nothing waits"
	if waiting > 0 {
		wait = fmt.Sprintf("%d %s waiting", waiting, plural(waiting, "message"))
	}

	slowest := ""
	if r, ok := slowestReader(o.Readers); ok {
		slowest = fmt.Sprintf(", slowest reader %s at %.0f ms", r.Reader, r.Latency.P50)
	}

	return fmt.Sprintf("All well: %.0f rides/min, %s%s", o.Rides.PerMinute, wait, slowest)
}

func slowestReader(readers []Reader) (slowest Reader, ok bool) {
	for _, r := range readers {
		if !ok || r.Latency.P50 > slowest.Latency.P50 {
			slowest, ok = r, true
		}
	}
	return slowest, ok
}

// notReady names the first service that cannot work, and why.
func notReady(o Overview) string {
	for _, s := range o.Services {
		for _, check := range slices.Sorted(maps.Keys(s.NotReady)) {
			return fmt.Sprintf("%s is not ready: %s.", s.Name, strings.TrimSuffix(s.NotReady[check], "."))
		}
	}
	return ""
}

func downServices(o Overview) (down []string) {
	for _, s := range o.Services {
		if !s.OK {
			down = append(down, s.Name)
		}
	}
	return down
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
