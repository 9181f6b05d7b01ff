package scaling

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"tandem/services/domain/profile"
	"tandem/services/internal/queue/autoscale"
	"tandem/services/internal/queue/autoscale/simulated"
)

// startsIn is how long a dispatch worker of the demo takes from its start to its first
// receive.
const startsIn = 2 * time.Second

// The day's events.
const (
	outageBegins, outageEnds = 11 * time.Hour, 11*time.Hour + 3*time.Minute // no worker receives
	silentBegins, silentEnds = 20 * time.Hour, 20*time.Hour + 5*time.Minute // SQS does not say its counts
	stepBegins, stepEnds     = 14 * time.Hour, 15 * time.Hour               // 3 requests a second more, at once
)

// Result is a simulated run.
type Result struct {
	Points []Point
	Summary
	Messages int
	P50, P99 time.Duration // how long messages waited for a worker
}

// String is the result in two lines.
func (r Result) String() string {
	return fmt.Sprintf("%d messages waited %s (median) and %s (p99) for a worker\n%s", r.Messages, r.P50, r.P99, r.Summary)
}

// Day simulates a day of ride requests under the policy: two rush hours, noise, three
// minutes without workers, an hour with a step of load, five minutes in which the queue
// does not say how many wait. The same seed makes the same day.
func Day(seed uint64, p autoscale.Policy) Result {
	silent := func(at time.Duration) bool { return at >= silentBegins && at < silentEnds }
	return result(silent, simulated.Run(simulated.Options{
		Policy: p, Seed: seed, For: 24 * time.Hour, Every: profile.Default().ScaleEvery, StartsIn: startsIn, Rate: dayLoad(seed), Silent: silent,
		Down: func(at time.Duration) bool { return at >= outageBegins && at < outageEnds },
	}))
}

// Step simulates eight minutes with 0.5 requests a second, of which the second to the
// fourth have 5: what the demo's --rush-riders 300 does, to hold a recording against.
func Step(seed uint64, p autoscale.Policy) Result {
	never := func(time.Duration) bool { return false }
	return result(never, simulated.Run(simulated.Options{
		Policy: p, Seed: seed, For: 8 * time.Minute, Every: profile.Default().ScaleEvery, StartsIn: startsIn,
		Rate: func(at time.Duration) float64 {
			if at >= time.Minute && at < 3*time.Minute {
				return 5
			}
			return 0.5
		},
	}))
}

// dayLoad is how many requests come in a second, on average. At four in the morning it
// is 0.2, in the rush of the evening 5.5.
func dayLoad(seed uint64) func(at time.Duration) float64 {
	random := rand.New(rand.NewPCG(seed, 1))
	phases := [3]float64{random.Float64(), random.Float64(), random.Float64()}

	return func(at time.Duration) float64 {
		h := at.Hours()
		load := 0.9 - 0.7*math.Cos(2*math.Pi*(h-4)/24) + 2.6*bell(h-8.5, 0.8) + 4.1*bell(h-18.3, 1.1)
		if at >= stepBegins && at < stepEnds {
			load += 3
		}

		// Up to a fifth more or less, over 5, 12 and 37 minutes.
		noise := 1.0
		for i, minutes := range [3]float64{5, 12, 37} {
			noise += 0.07 * math.Sin(2*math.Pi*(at.Minutes()/minutes+phases[i]))
		}
		return load * noise
	}
}

// bell is 1 at 0 and falls off over width hours.
func bell(hours, width float64) float64 { return math.Exp(-hours * hours / (2 * width * width)) }

func result(silent func(time.Duration) bool, looks []simulated.Look) Result {
	var out Result
	var waits []time.Duration
	for _, l := range looks {
		out.Points = append(out.Points, Point{At: l.At, Known: !silent(l.At), Waiting: l.Visible, InFlight: l.InFlight, Workers: l.Workers, Oldest: l.Oldest})
		out.Messages = l.Arrived
		waits = append(waits, l.Waits...)
	}

	waits = sorted(waits)
	out.P50, out.P99 = quantile(waits, 0.5), quantile(waits, 0.99)
	out.Summary = Sum(out.Points)
	out.LongestWait = max(out.LongestWait, quantile(waits, 1))
	return out
}
