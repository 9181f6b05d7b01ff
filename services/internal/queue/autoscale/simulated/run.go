package simulated

import (
	"math"
	"math/rand/v2"
	"time"

	"tandem/services/internal/queue/autoscale"
)

// Step is how far the clock moves at once. What happens within one is at its end.
const Step = time.Second

// Options of a run.
type Options struct {
	Policy autoscale.Policy
	Seed   uint64
	For    time.Duration
	Every  time.Duration // between two decisions; a multiple of Step
	Even   bool          // messages come evenly and take equally long; false: at random

	Rate     func(at time.Duration) float64 // messages that arrive in a second, on average
	Down     func(at time.Duration) bool    // no worker receives at that time; nil: they always do
	Silent   func(at time.Duration) bool    // the queue does not say its counts; nil: it always does
	Handling time.Duration                  // how long a message really takes, on average; 0: as the policy says
	StartsIn time.Duration                  // until a new worker receives
}

// Look is what was so at a decision, and the decision.
type Look struct {
	At                      time.Duration
	Visible, InFlight       int
	Workers, Ready          int
	Oldest                  time.Duration // of the messages that wait
	Because                 string
	Want                    int
	Arrived, Taken, Settled int // since the run began: messages sent, received, settled
	// Waits are of the messages received since the look before: how long each had waited.
	Waits []time.Duration
}

// run is the queue and its workers.
type run struct {
	o       Options
	random  *rand.Rand
	waiting []time.Duration // when each message arrived, the oldest first
	held    []time.Duration // when each message in flight will be settled
	starts  []time.Duration // when each worker that is asked for receives
	due     float64         // of a message that is to come, where they come evenly
	arrived int
	settled int
	waits   []time.Duration // since the last decision
	samples []autoscale.Sample
}

// Run simulates, and returns a Look for each decision.
func Run(o Options) []Look {
	r := &run{o: o, random: rand.New(rand.NewPCG(o.Seed, 0))}
	if r.o.Handling == 0 {
		r.o.Handling = o.Policy.Handling
	}

	for range o.Policy.Min {
		r.starts = append(r.starts, 0)
	}

	var out []Look
	for at := time.Duration(0); at <= o.For; at += Step {
		r.arrive(at)
		r.settle(at)
		r.receive(at)
		if at%o.Every == 0 {
			out = append(out, r.decide(at))
		}
	}
	return out
}

// arrive adds the messages of one step.
func (r *run) arrive(at time.Duration) {
	mean := r.o.Rate(at) * Step.Seconds()
	n := poisson(r.random, mean)
	if r.o.Even {
		n = int(r.due + mean)
		r.due += mean - float64(n)
	}
	for range n {
		r.waiting = append(r.waiting, at)
		r.arrived++
	}
}

// settle ends what was held for long enough.
func (r *run) settle(at time.Duration) {
	still := r.held[:0]
	for _, until := range r.held {
		if until > at {
			still = append(still, until)
		}
	}
	r.settled += len(r.held) - len(still)
	r.held = still
}

// receive fills the free places of the workers. At random, a message takes from half
// to one and a half times as long as the average.
func (r *run) receive(at time.Duration) {
	for len(r.waiting) > 0 && len(r.held) < r.ready(at)*r.o.Policy.Holds {
		takes := time.Duration((0.5 + r.random.Float64()) * float64(r.o.Handling))
		if r.o.Even {
			takes = r.o.Handling
		}
		r.waits = append(r.waits, at-r.waiting[0])
		r.waiting = r.waiting[1:]
		r.held = append(r.held, at+takes)
	}
}

func (r *run) ready(at time.Duration) int {
	if r.o.Down != nil && r.o.Down(at) {
		return 0
	}
	n := 0
	for _, from := range r.starts {
		if from <= at {
			n++
		}
	}
	return n
}

// decide looks, asks Plan, and does what it says.
func (r *run) decide(at time.Duration) Look {
	look := Look{
		At: at, Visible: len(r.waiting), InFlight: len(r.held), Workers: len(r.starts), Ready: r.ready(at),
		Arrived: r.arrived, Taken: r.arrived - len(r.waiting), Settled: r.settled, Waits: r.waits,
	}
	r.waits = nil
	if len(r.waiting) > 0 {
		look.Oldest = at - r.waiting[0]
	}

	now := time.Unix(0, 0).Add(at)
	sample := autoscale.Sample{At: now, Workers: look.Workers, Ready: look.Ready}
	if r.o.Silent == nil || !r.o.Silent(at) {
		sample.Queue = &autoscale.Queue{Visible: look.Visible, InFlight: look.InFlight, Oldest: look.Oldest}
	}

	r.samples = append(r.o.Policy.Trim(now, r.samples), sample)

	d := autoscale.Plan(now, r.samples, r.o.Policy)
	for len(r.starts) < d.Want {
		r.starts = append(r.starts, at+r.o.StartsIn)
	}

	r.starts = r.starts[:d.Want]
	look.Want, look.Because = d.Want, d.Because
	return look
}

// poisson draws how many events happen where mean are expected (Knuth's way, which is
// quick where the mean is small).
func poisson(random *rand.Rand, mean float64) int {
	limit, n := math.Exp(-mean), 0
	for product := random.Float64(); product > limit; product *= random.Float64() {
		n++
	}
	return n
}
