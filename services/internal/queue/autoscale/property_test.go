package autoscale_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/internal/queue/autoscale"
	"tandem/services/internal/queue/autoscale/simulated"
)

func anyPolicy(t *rapid.T) autoscale.Policy {
	p := autoscale.Policy{
		Min: rapid.IntRange(0, 5).Draw(t, "min"), Holds: rapid.IntRange(1, 10).Draw(t, "holds"),
		Latency:  time.Duration(rapid.IntRange(1, 120).Draw(t, "latency")) * time.Second,
		Handling: time.Duration(rapid.IntRange(100, 60_000).Draw(t, "handling")) * time.Millisecond,
		WarmUp:   time.Duration(rapid.IntRange(5, 120).Draw(t, "warm-up")) * time.Second, Fresh: 15 * time.Second,
	}
	p.Max = max(1, p.Min) + rapid.IntRange(0, 10).Draw(t, "more")
	p.ScaleInAfter = p.WarmUp + time.Duration(rapid.IntRange(0, 120).Draw(t, "scale-in"))*time.Second
	return p
}

// anySamples are looks at a queue of any length, with workers that came and went.
func anySamples(t *rapid.T, most int) []autoscale.Sample {
	var out []autoscale.Sample
	for range rapid.IntRange(1, 30).Draw(t, "looks") {
		s := look(rapid.IntRange(0, most).Draw(t, "workers"), rapid.IntRange(0, 300).Draw(t, "visible"), rapid.IntRange(0, 100).Draw(t, "in flight"),
			time.Duration(rapid.IntRange(0, 300).Draw(t, "oldest"))*time.Second)
		s.Ready = rapid.IntRange(0, s.Workers).Draw(t, "ready")
		if rapid.IntRange(0, 9).Draw(t, "answers") == 0 {
			s.Queue = nil
		}
		out = append(out, s)
		if rapid.Bool().Draw(t, "again") { // so that some histories are calm
			out = append(out, often(rapid.IntRange(1, 30).Draw(t, "times"), s)...)
		}
	}
	return looks(out...)
}

// The bounds hold, one worker at most is retired, none of those that are busy, and
// nothing changes where nothing is known.
func TestWantStaysWithin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPolicy(t)
		samples := anySamples(t, p.Max+2)
		at := samples[len(samples)-1]
		d := autoscale.Plan(noon, samples, p)

		require.NotEmpty(t, d.Because)
		require.GreaterOrEqual(t, d.Want, p.Min)
		require.LessOrEqual(t, d.Want, p.Max)
		if at.Workers > p.Max || at.Workers < p.Min {
			return
		}

		require.GreaterOrEqual(t, d.Want, at.Workers-1)
		if at.Queue == nil {
			require.Zero(t, d.Want-at.Workers)
		} else if d.Want < at.Workers {
			require.GreaterOrEqual(t, d.Want*p.Holds, at.Queue.InFlight)
		}
		require.Equal(t, d.Want, autoscale.Plan(noon, p.Trim(noon, samples), p).Want, "what Trim drops is not needed")
	})
}

func TestMoreBacklogNeverWantsFewer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPolicy(t)
		samples := anySamples(t, p.Max)
		before := autoscale.Plan(noon, samples, p)

		i := rapid.IntRange(0, len(samples)-1).Draw(t, "which")
		if samples[i].Queue == nil {
			return
		}
		more := *samples[i].Queue
		more.Visible += rapid.IntRange(0, 300).Draw(t, "more visible")
		more.Oldest += time.Duration(rapid.IntRange(0, 300).Draw(t, "older")) * time.Second
		samples[i].Queue = &more

		after := autoscale.Plan(noon, samples, p)
		require.GreaterOrEqual(t, after.Want, before.Want, "%s; %s", before.Because, after.Because)
	})
}

// A load that jumps to one level, whatever that is, and stays: workers are added, then
// those that were too many are retired, and none is added again. So their number comes
// to rest. A level that the workers can take leaves no message waiting for longer than
// is acceptable.
func TestAStepConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy()
		p.Handling = time.Duration(rapid.IntRange(1, 20).Draw(t, "handling")) * time.Second
		share := rapid.Float64Range(0, 1.5).Draw(t, "share of what the most workers can take")
		all := simulated.Run(simulated.Options{
			Policy: p, For: 40 * time.Minute, Every: 5 * time.Second, Even: true, StartsIn: startsIn(t, p),
			Rate: func(at time.Duration) float64 {
				if at < time.Minute {
					return 0
				}
				return share * float64(p.Max) * p.PerMinute() / 60
			},
		})

		require.LessOrEqual(t, turns(all), 1)
		for _, l := range all {
			if l.At > 20*time.Minute && share < 0.95 {
				require.LessOrEqual(t, l.Oldest, p.Latency+5*time.Second, "at %s: %s", l.At, l.Because)
			}
		}
	})
}

// The same where messages come at random: the noise moves two workers at most.
func TestNoiseMovesTwoWorkers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy()
		// Random arrivals need room above their average.
		level := rapid.Float64Range(0.1, 0.8).Draw(t, "level") * float64(p.Max) * p.PerMinute() / 60
		all := atRandom(t, p, 40*time.Minute, func(time.Duration) float64 { return level })

		last := all[len(all)-1]
		for _, l := range all {
			if l.At >= 10*time.Minute && l.At <= 35*time.Minute {
				require.InDelta(t, last.Workers, l.Workers, 2, "at %s: %s", l.At, l.Because)
				require.LessOrEqual(t, l.Oldest, 2*p.Latency, "at %s: %s", l.At, l.Because)
			}
		}
	})
}

func startsIn(t *rapid.T, p autoscale.Policy) time.Duration {
	return time.Duration(rapid.IntRange(0, int(p.WarmUp.Seconds())).Draw(t, "starts in")) * time.Second
}

// atRandom is a run under a load with noise.
func atRandom(t *rapid.T, p autoscale.Policy, length time.Duration, rate func(at time.Duration) float64) []simulated.Look {
	return simulated.Run(simulated.Options{
		Policy: p, Seed: rapid.Uint64().Draw(t, "seed"), For: length, Every: 5 * time.Second, Rate: rate, StartsIn: startsIn(t, p),
	})
}

// However the load jumps, changes of direction are no more than the doc says.
func TestChangesOfDirectionAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy()
		level, swing := rapid.Float64Range(0.1, 8).Draw(t, "level"), rapid.Float64Range(0, 1).Draw(t, "swing")
		period := time.Duration(rapid.IntRange(5, 300).Draw(t, "period")) * time.Second
		const length = 30 * time.Minute

		all := atRandom(t, p, length, func(at time.Duration) float64 {
			return level * (1 + swing*math.Sin(2*math.Pi*float64(at)/float64(period)))
		})
		require.LessOrEqual(t, turns(all), int(2*length/p.ScaleInAfter))
	})
}

// turns counts the changes of direction: a scale-in after a scale-out, or the other
// way round.
func turns(all []simulated.Look) (n int) {
	before := 0
	for _, l := range all {
		way := l.Want - l.Workers
		if way == 0 {
			continue
		}
		if before*way < 0 {
			n++
		}
		before = way
	}
	return n
}
