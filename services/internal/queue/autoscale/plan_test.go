package autoscale_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/autoscale"
)

// A worker of policy takes 75 messages a minute, and 12.5 may wait for each.
func policy() autoscale.Policy {
	return autoscale.Policy{
		Min: 2, Max: 6, Latency: 10 * time.Second, Holds: 5, Handling: 4 * time.Second,
		WarmUp: 20 * time.Second, ScaleInAfter: time.Minute, Fresh: 15 * time.Second,
	}
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// looks are samples every 5 s up to noon, the newest last.
func looks(all ...autoscale.Sample) []autoscale.Sample {
	for i := range all {
		all[i].At = noon.Add(time.Duration(i+1-len(all)) * 5 * time.Second)
	}
	return all
}

// look is one sample in which every worker is at work.
func look(workers, visible, inFlight int, oldest time.Duration) autoscale.Sample {
	return autoscale.Sample{Workers: workers, Ready: workers, Queue: &autoscale.Queue{Visible: visible, InFlight: inFlight, Oldest: oldest}}
}

// starting is a sample in which some of the workers are not at work yet.
func starting(workers, ready, visible, inFlight int) autoscale.Sample {
	s := look(workers, visible, inFlight, 0)
	s.Ready = ready
	return s
}

// silent is a sample without an answer of the queue.
func silent(workers int) autoscale.Sample { return autoscale.Sample{Workers: workers, Ready: workers} }

func often(n int, s autoscale.Sample) []autoscale.Sample {
	var out []autoscale.Sample
	for range n {
		out = append(out, s)
	}
	return out
}

func TestPlan(t *testing.T) {
	minute := 13 // looks: from a minute ago to now

	for _, c := range []struct {
		name    string
		samples []autoscale.Sample
		want    int
		because string
	}{
		{"nobody has looked", nil, 2, "nobody has looked"},
		{"nothing to do", looks(look(2, 0, 0, 0)), 2, "no message waits and 0 are in flight, of 10 that 2 workers can hold: as it should be; 2 is the fewest that is allowed"},
		{"as many wait as may", looks(look(2, 25, 10, 5*time.Second)), 2, "25 messages wait and 10 are in flight, of 10"},
		{"one more waits", looks(look(2, 26, 10, 5*time.Second)), 3, "26 messages wait and a worker takes 75 a minute: 3 workers would clear them within 10s"},
		{"many wait", looks(look(2, 40, 10, 5*time.Second)), 4, "40 messages wait and a worker takes 75 a minute: 4 workers would clear them within 10s"},
		{"very many wait", looks(look(2, 400, 10, 9*time.Second)), 6, "32 workers would clear them within 10s; 6 is the most that is allowed"},
		{"there are the most", looks(look(6, 400, 30, time.Minute)), 6, "; 6 is the most that is allowed"},
		{"one waits too long", looks(look(2, 8, 10, 15*time.Second)), 3, "the oldest message has waited 15s with 2 workers at work, and 10s is acceptable: 3 workers"},
		{"old, but two can hold all", looks(look(2, 1, 5, time.Hour)), 2, "as it should be"},
		{"old, and three can hold all", looks(look(2, 3, 10, time.Hour)), 3, "3 messages wait and 10 are in flight: 3 workers can hold them all"},
		{"delayed ones do not count", looks(look(2, 0, 10, time.Hour)), 2, "no message waits"},
		{"counts that make no sense", looks(look(2, -7, -7, -time.Hour)), 2, ""},
		{"an age without a message that waits", looks(look(2, 0, 15, time.Hour)), 2, "no message waits"},
		{"fewer than none in flight", looks(look(2, 40, -30, 0)), 4, "4 workers would clear them"},
		{"counts without end", looks(look(2, 1<<62, 1<<62, 1<<62)), 6, ""},

		{"the queue did not answer", looks(look(3, 90, 15, 0), silent(3), silent(3)), 3, "the queue has not answered for 10s: 3 workers as before"},
		{"the queue never answered", looks(silent(3)), 3, "the queue has not answered for 0s or more: 3 workers as before"},
		{"nobody looks any more", []autoscale.Sample{{At: noon.Add(-16 * time.Second), Workers: 3, Ready: 3, Queue: &autoscale.Queue{Visible: 90}}}, 3, "has not answered for 16s"},

		{"fewer than are allowed", looks(look(1, 0, 0, 0)), 2, "1 worker: 2 to 6 are allowed"},
		{"more than are allowed", looks(look(9, 99, 45, 0)), 6, "9 workers: 2 to 6 are allowed"},
		{"too few while nothing is known", looks(silent(0)), 2, "0 workers"},

		{"two are on their way", looks(look(2, 40, 10, 0), starting(4, 2, 70, 10)), 4, "6 workers would clear them within 10s; first 2 workers, just added, may show for 20s what that changes"},
		{"two never came", looks(append(often(1, look(2, 40, 10, 0)), often(5, starting(4, 2, 70, 10))...)...), 6, "6 workers would clear them"},
		{"those that start say nothing about the age", looks(append(often(4, starting(4, 2, 20, 10)), look(4, 20, 20, 21*time.Second))...), 5, "21s with 2 workers at work"},

		{"none of them has been at work yet", looks(append(often(4, starting(2, 0, 9, 0)), look(2, 9, 10, 25*time.Second))...), 3, "25s with 1 worker at work"},

		{"one fewer would do, since now", looks(look(4, 0, 12, 0)), 4, "3 workers would do, for 0s now; one is retired after 1m0s of this"},
		{"one fewer would do, for 55 s", looks(often(minute-1, look(4, 0, 12, 0))...), 4, "3 workers would do, for 55s now"},
		{"one fewer has done for a minute", looks(often(minute, look(4, 0, 12, 0))...), 3, "3 workers would have done for 1m0s"},
		{"one at a time", looks(often(minute, look(6, 0, 0, 0))...), 5, ""},
		{"never fewer than the fewest", looks(often(99, look(2, 0, 0, 0))...), 2, "2 is the fewest"},
		{"the others would be too busy", looks(often(minute, look(4, 0, 13, 0))...), 4, "as it should be"},
		{"it was too busy half a minute ago", looks(append(append(often(minute, look(4, 0, 12, 0)), look(4, 0, 13, 0)), often(7, look(4, 0, 12, 0))...)...), 4, "for 30s now"},
		{"many waited half a minute ago", looks(append(append(often(minute, look(4, 0, 12, 0)), look(4, 50, 12, 0)), often(7, look(4, 0, 12, 0))...)...), 4, "for 30s now"},
		{"the queue was silent half a minute ago", looks(append(append(often(minute, look(4, 0, 12, 0)), silent(4)), often(7, look(4, 0, 12, 0))...)...), 4, "for 30s now"},
		{"one was added half a minute ago", looks(append(often(minute, look(3, 0, 8, 0)), often(7, look(4, 0, 8, 0))...)...), 4, "for 30s now"},
		{"one was retired half a minute ago", looks(append(often(minute, look(5, 0, 8, 0)), often(7, look(4, 0, 8, 0))...)...), 4, "for 30s now"},
		{"some are not at work", looks(often(minute, starting(4, 2, 0, 8))...), 4, "as it should be"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := autoscale.Plan(noon, c.samples, policy())
			require.Equal(t, c.want, d.Want, d.Because)
			require.Contains(t, d.Because, c.because)
		})
	}
}

// A gap in which nobody looked is no time in which fewer would have done.
func TestNobodyLookedForAWhile(t *testing.T) {
	samples := looks(often(13, look(4, 0, 12, 0))...)
	for i := range 9 {
		samples[i].At = samples[i].At.Add(-time.Minute)
	}
	require.Equal(t, 4, autoscale.Plan(noon, samples, policy()).Want)
}

func TestCheck(t *testing.T) {
	require.NoError(t, policy().Check())
	for name, change := range map[string]func(*autoscale.Policy){
		"min above max": func(p *autoscale.Policy) { p.Min = 7 },
		"min below 0":   func(p *autoscale.Policy) { p.Min = -1 },
		"no worker":     func(p *autoscale.Policy) { p.Min, p.Max = 0, 0 },
		"latency":       func(p *autoscale.Policy) { p.Latency = 0 },
		"holds":         func(p *autoscale.Policy) { p.Holds = 0 },
		"handling":      func(p *autoscale.Policy) { p.Handling = -1 },
		"warm-up":       func(p *autoscale.Policy) { p.WarmUp = 0 },
		"scale-in":      func(p *autoscale.Policy) { p.ScaleInAfter = 0 },
		"fresh":         func(p *autoscale.Policy) { p.Fresh = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			p := policy()
			change(&p)
			require.Error(t, p.Check())

			d := autoscale.Plan(noon, looks(look(3, 400, 15, time.Hour)), p)
			require.Equal(t, autoscale.Decision{Want: 3, Because: p.Check().Error()}, d, "nothing changes")
		})
	}
}
