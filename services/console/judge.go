package console

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	lagAlarm = 10 * time.Second
	// silentAlarm is how long the stream may say nothing to a reader. On AWS a
	// subscription without records says every 5 s that it lives.
	silentAlarm  = 6 * time.Second
	backlogAlarm = 50               // messages that wait
	unsentAlarm  = 30 * time.Second // for a row of the outbox
)

// judge says in one sentence what is wrong, the most urgent trouble first, and who
// suffers, or that all is well: only when every part has said so. It decides from o
// alone.
func judge(o Overview) (ok bool, sentence string) {
	// First what does not work at all: it explains most of what would follow.
	for _, look := range []func(Overview) string{silentQueues, downServices, unheard, notReady, deadLetters, unread} {
		if trouble := look(o); trouble != "" {
			return false, trouble
		}
	}
	return true, wellSentence(o)
}

// silentQueues says that SQS does not answer, and whether the stream does.
func silentQueues(o Overview) string {
	silent := 0
	for _, q := range o.Queues {
		if q.Error != "" && q.Error != noAnswer {
			return fmt.Sprintf("The queue %s cannot be looked at: %s", q.Name, q.Error)
		}
		if q.Error == noAnswer {
			silent++
		}
	}
	if silent == 0 {
		return ""
	}

	for _, r := range o.Readers {
		if r.OK && r.StreamAt != nil && o.At.Sub(*r.StreamAt) > freshFor {
			return "Neither queue nor stream answers: bookings wait in the database, and cars are not heard from."
		}
	}
	return "The queue does not answer: bookings wait in the database, and no driver is asked; the map goes on."
}

// downServices says which processes do not answer, and who suffers.
func downServices(o Overview) string {
	var names, sufferings []string
	for _, s := range o.Services {
		if s.OK || s.HeardAt == nil && starting(o) {
			continue
		}
		names = append(names, s.Name)

		suffering := suffers(kindOf(s.Name))
		if other := othersOK(o, s); other {
			suffering = "the others of its kind do its work"
		}
		if !slices.Contains(sufferings, suffering) {
			sufferings = append(sufferings, suffering)
		}
	}

	switch len(names) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s does not answer: %s.", names[0], sufferings[0])
	}
	// Of many that are down one sentence each would be too much to read.
	if len(sufferings) > 2 {
		return fmt.Sprintf("%s do not answer: most of Tandem stands still; work waits on queue and stream.", strings.Join(names, ", "))
	}
	return fmt.Sprintf("%s do not answer: %s.", strings.Join(names, ", "), strings.Join(sufferings, ". And "))
}

// othersOK reports whether another process of the same kind answers.
func othersOK(o Overview, s Service) bool {
	return slices.ContainsFunc(o.Services, func(other Service) bool {
		return other.OK && other.Name != s.Name && kindOf(other.Name) == kindOf(s.Name)
	})
}

// starting reports whether nothing has answered yet: the console has just started.
func starting(o Overview) bool {
	return !slices.ContainsFunc(o.Services, func(s Service) bool { return s.HeardAt != nil })
}

// unheard says what has not answered yet, so that nothing is known of it.
func unheard(o Overview) string {
	var names []string
	for _, s := range o.Services {
		if s.HeardAt == nil {
			names = append(names, s.Name)
		}
	}
	for _, q := range o.Queues {
		if q.HeardAt == nil {
			names = append(names, q.Name)
		}
	}
	if len(names) > 0 {
		return fmt.Sprintf("Looking: nothing is heard yet of %s.", strings.Join(names, ", "))
	}
	if o.Rides == nil {
		return "booking has not counted its rides yet."
	}
	return ""
}

// notReady says which services cannot work, by the first one's reason.
func notReady(o Overview) string {
	for _, s := range o.Services {
		for _, check := range slices.Sorted(maps.Keys(s.NotReady)) {
			why := strings.TrimSuffix(s.NotReady[check], ".")
			return fmt.Sprintf("%s is not ready: %s. While that lasts, %s.", s.Name, why, suffers(kindOf(s.Name)))
		}
	}
	return ""
}

// deadLetters says where work is left undone.
func deadLetters(o Overview) string {
	for _, q := range o.Queues {
		// Whoever lists dead letters has them in flight for a moment.
		dead := q.Visible + q.InFlight
		switch {
		case q.Dead && dead > 0:
			return fmt.Sprintf("%d dead %s in %s: look at them, then redrive or discard.", dead, plural(dead, "letter"), q.Name)
		case !q.Dead && q.Visible > backlogAlarm:
			return fmt.Sprintf("%d messages wait in %s: the workers do not keep up.", q.Visible, q.Name)
		}
	}
	if o.Rides == nil {
		return ""
	}
	return notSent(o.Rides.Outbox)
}

// notSent says which messages have not left the outbox.
func notSent(o Outbox) string {
	switch {
	case o.SetAside != nil && *o.SetAside > 0:
		return fmt.Sprintf("SQS refuses %d %s of the outbox for good: look at them, then send again or discard.", *o.SetAside, plural(*o.SetAside, "message"))
	case o.OldestS != nil && *o.OldestS > unsentAlarm.Seconds():
		return fmt.Sprintf("A message has waited in the outbox for %.0f s: booking's relay does not keep up.", *o.OldestS)
	}
	return ""
}

// unread says which reader does not read what is on the stream.
func unread(o Overview) string {
	for _, r := range o.Readers {
		switch paused := pausedShards(r); {
		case paused > 0: // first: what follows from it is no fault
			return fmt.Sprintf("%s is paused by a person on %d of its shards%s%s: nothing is broken. `tandem reader resume %s` lets it go on.",
				kindOf(r.Reader), paused, behind(r), soMany(r), kindOf(r.Reader))
		case len(r.NotRead) > 0:
			return fmt.Sprintf("%s does not read %d of its shards%s: a process that ended may still have their leases. Nothing is lost, and the others are not held up.",
				kindOf(r.Reader), len(r.NotRead), soMany(r))
		case r.BehindMS == nil:
			return r.Reader + " has not said yet how far it has read."
		case r.StreamAt != nil && o.At.Sub(*r.StreamAt) > silentAlarm:
			return fmt.Sprintf("%s has heard nothing from the stream for %s: %s.", r.Reader, o.At.Sub(*r.StreamAt).Round(time.Second), suffers(kindOf(r.Reader)))
		case milliseconds(*r.BehindMS) > lagAlarm:
			return fmt.Sprintf("%s is %s behind the stream%s; the others are not held up.", r.Reader, milliseconds(*r.BehindMS).Round(time.Second), soMany(r))
		case r.Parked > 0:
			return fmt.Sprintf("%s has set %d %s aside that it could not handle.", r.Reader, r.Parked, plural(int(r.Parked), "record"))
		}
	}
	return ""
}

// pausedShards is how many of a reader's shards a person has paused.
func pausedShards(r Reader) (n int) {
	if r.ReaderState == nil {
		return 0
	}
	for _, s := range r.Shards {
		if s.Paused {
			n++
		}
	}
	return n
}

// behind says how far behind the stream a reader is, where that is known.
func behind(r Reader) string {
	if r.BehindMS == nil {
		return ""
	}
	return fmt.Sprintf(", %s behind the stream", milliseconds(*r.BehindMS).Round(time.Second))
}

// soMany says how many points a reader has not read, where that is known.
func soMany(r Reader) string {
	if r.Unread == nil {
		return ""
	}
	return fmt.Sprintf(", about %d %s unread", *r.Unread, plural(int(*r.Unread), "point"))
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

// slowestReader returns the reader with the highest latency of those that have one.
func slowestReader(readers []Reader) (slowest Reader, ok bool) {
	for _, r := range readers {
		if r.ReaderState != nil && r.Latency != nil && (!ok || r.Latency.P50 > slowest.Latency.P50) {
			slowest, ok = r, true
		}
	}
	return slowest, ok
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
