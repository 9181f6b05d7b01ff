package client

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tandem/services/domain/city"
	"tandem/services/domain/geo"
)

const (
	stepEvery  = time.Second
	actWithin  = 20 * time.Second
	maxWaiting = 600 // ten minutes of fixes: what an app keeps while it is offline; more than MaxBatch
	maxShown   = 60  // metres a second: location refuses what no car can drive
	atHand     = 25  // metres: as good as there
)

// Streets finds ways.
type Streets interface {
	Route(from, to geo.Point) (city.Route, error)
}

// Driver is a car and the person in it: it answers offers, serves rides, and
// sends its fixes. Whoever runs it calls Start, then Run, and has it Hear what
// Watch or WatchAll brings.
type Driver struct {
	OnPoints func(sent []Point, a PointsAnswer) // hears of each batch and its answer
	OnEnd    func(Ride)                         // hears of each ride that the driver ended
	Log      *slog.Logger

	session *Session
	streets Streets
	policy  Policy
	mover   Mover
	track   *Track
	every   time.Duration // stepEvery, but in tests
	keeps   int           // maxWaiting, but in tests
	wake    chan struct{}
	due     chan struct{} // a fix waits to be sent

	// Whoever flushes has these two.
	told     int64 // of the dropped fixes, how many have been logged
	dropping bool  // it has been logged that this outage costs fixes

	retiring atomic.Bool
	retired  chan struct{} // closed when the driver is off duty for good

	mu    sync.Mutex
	state DriverState // as last heard of from booking

	target    string        // what the route leads to: a ride and one of its ends
	answering string        // the offer that is thought about
	answerAt  time.Time     // when it is answered
	boardAt   time.Time     // when the rider is in
	offUntil  time.Time     // off duty until then
	leaving   time.Time     // since when it sends no more fixes, to go off duty; zero: it does not
	pause     time.Duration // the break that it then takes
	rides     int           // since the last break
	lastFix   time.Time
	lastAsk   time.Time
}

// NewDriver returns a driver that stands at start. Its hooks may be set until
// Start is called.
func NewDriver(s *Session, streets Streets, start geo.Point, p Policy) *Driver {
	p.Speed = cmp.Or(p.Speed, 1)
	return &Driver{
		session: s, streets: streets, policy: p, mover: Mover{At: start},
		every: stepEvery, keeps: maxWaiting, wake: make(chan struct{}, 1), due: make(chan struct{}, 1), retired: make(chan struct{}), Log: slog.New(slog.DiscardHandler),
	}
}

// Start goes on duty and sends the first fix, so that the driver can be found.
func (d *Driver) Start(ctx context.Context) error {
	// A driver that comes back goes on above what history has: a sequence that was
	// used before would be taken for a repeat and skipped.
	last, err := d.session.LastSeq(ctx)
	if err != nil {
		return err
	}
	d.track = NewTrack(d.session, last, d.keeps)
	d.track.OnAnswer = d.OnPoints

	st, err := d.session.Duty(ctx, true)
	if err != nil {
		return err
	}

	d.Hear(st)
	d.addFix(time.Now())
	d.flush(ctx)
	return nil
}

// Run drives until ctx ends. A call that fails is tried again at the next step.
// Fixes are sent beside it: however slow Tandem is, the car drives on.
func (d *Driver) Run(ctx context.Context) {
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() { d.sendFixes(ctx) })

	tick := time.NewTicker(d.every)
	defer tick.Stop()

	before := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
			d.act(ctx, time.Now())
		case now := <-tick.C:
			d.act(ctx, now)
			d.move(now, now.Sub(before))
			before = now
		}
	}
}

// Hear takes the state that booking sent. It is safe for concurrent use.
func (d *Driver) Hear(st DriverState) {
	d.setState(st)
	d.wakeUp()
}

// Retire has the driver finish its ride, refuse what else is offered, and go off
// duty for good. Run must go on until Retired is closed. It is safe for concurrent
// use.
func (d *Driver) Retire() {
	d.retiring.Store(true)
	d.wakeUp()
}

// Retired is closed when the driver has no ride any more and is off duty, after
// Retire.
func (d *Driver) Retired() <-chan struct{} { return d.retired }

func (d *Driver) wakeUp() {
	select {
	case d.wake <- struct{}{}:
	default: // it is awake already
	}
}

// State returns what was last heard. It is safe for concurrent use.
func (d *Driver) State() DriverState {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

// Place returns where the car is. It is for before Run, or its goroutine.
func (d *Driver) Place() geo.Point { return d.mover.At }

func (d *Driver) setState(st DriverState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state = st
}
