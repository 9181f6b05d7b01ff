package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tandem/services/demo/supervisor"
	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/internal/queue/autoscale"
	"tandem/services/internal/workersfile"
)

// autoscale keeps the number of workers as the queue needs it until stop is called. It
// runs here, where processes are started and ended, and not in the console: who looks
// at everything changes nothing.
func (d *demo) autoscale(ctx context.Context) (stop func()) {
	prof, err := profile.ByName(d.Profile)
	if err != nil || d.Workers.Min == d.Workers.Max {
		return func() {} // the number is fixed
	}

	ctx, cancel := context.WithCancel(ctx)
	s := &scaler{demo: d, policy: prof.Workers}
	s.policy.Min, s.policy.Max = d.Workers.Min, d.Workers.Max

	var loop sync.WaitGroup
	loop.Go(func() { s.run(ctx, prof.ScaleEvery) })
	return func() {
		cancel()
		loop.Wait()
	}
}

// scaler is the loop that looks, decides and acts.
type scaler struct {
	*demo
	policy autoscale.Policy
	looks  []autoscale.Sample
	known  bool // the newest look was answered
}

func (s *scaler) run(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()

	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.step(ctx)
	}
}

// step makes one decision and acts on it.
func (s *scaler) step(ctx context.Context) {
	running := s.workers.names()
	o, err := s.overview(ctx)
	if ctx.Err() != nil {
		return
	}

	now := time.Now()
	look := autoscale.Sample{At: now, Workers: len(running)}
	if err == nil {
		look.Queue, look.Ready = o.requests(), o.ready(running)
	}
	s.looks = append(s.policy.Trim(now, s.looks), look)
	d := autoscale.Plan(now, s.looks, s.policy)

	s.tell(look, d)
	s.act(ctx, o, running, d)
	s.note(now, d)
}

// act starts or retires workers until there are as many as were decided on.
func (s *scaler) act(ctx context.Context, o overview, running []string, d autoscale.Decision) {
	for range d.Want - len(running) {
		if err := s.addWorker(ctx); err != nil && !errors.Is(err, supervisor.ErrStopped) {
			s.log.Error("a worker was not started; the next decision tries again", "err", err)
			return
		}
	}

	for len(running) > d.Want {
		name := o.leastBusy(running)
		running = slices.DeleteFunc(running, func(n string) bool { return n == name })
		s.retire(name)
	}
}

// tell says when the number changes, or the queue stops or begins to answer; the rest is
// for the console.
func (s *scaler) tell(look autoscale.Sample, d autoscale.Decision) {
	known := look.Queue != nil
	if d.Want == look.Workers && (known == s.known || len(s.looks) == 1) {
		s.known = known
		return
	}

	s.known = known
	s.log.Info("workers", "have", look.Workers, "want", d.Want, "because", d.Because)
	if d.Want != look.Workers {
		s.screen.line(fmt.Sprintf(" %s  %d dispatch workers, not %d: %s", time.Now().Format(time.TimeOnly), d.Want, look.Workers, d.Because))
	}
}

// note keeps the decision for the console, and which workers there are after it.
func (s *scaler) note(now time.Time, d autoscale.Decision) {
	s.workers.mu.Lock()
	s.workers.decision = &workersfile.Decision{At: now.UTC(), Want: d.Want, Min: s.policy.Min, Max: s.policy.Max, Because: d.Because}
	s.workers.mu.Unlock()
	s.warnConsole(s.tellWorkers())
}

// requests is what waits in the queue of ride requests; nil: that is not known.
func (o overview) requests() *autoscale.Queue {
	for _, q := range o.Queues {
		if q.Name != event.QueueRideRequests || q.Error != "" || q.Visible == nil || q.InFlight == nil {
			continue
		}

		out := autoscale.Queue{Visible: *q.Visible, InFlight: *q.InFlight}
		// By the clock of booking's database, which is this machine's.
		if o.Rides != nil && o.Rides.OldestWaiting != nil {
			out.Oldest = max(0, o.At.Sub(*o.Rides.OldestWaiting))
		}
		return &out
	}
	return nil
}

// ready is how many of the workers say that they work.
func (o overview) ready(running []string) (n int) {
	for _, w := range o.Workers {
		if w.OK && slices.Contains(running, w.Name) {
			n++
		}
	}
	return n
}
