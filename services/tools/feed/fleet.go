package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tandem/services/client"
	"tandem/services/domain/city"
	"tandem/services/domain/geo"
	"tandem/services/internal/problem"
)

// fleet is feed's own drivers. They stand where the recorded pick-ups are,
// take what is offered to them, and drive at --speed.
type fleet struct {
	streets *city.City
	speed   float64
	drivers map[string]*driver
	wait    sync.WaitGroup
	cancel  context.CancelFunc

	mu    sync.Mutex
	rides map[string]chan client.Ride // who waits for a ride's end
}

// startAtOnce bounds how many drivers log in at once.
const startAtOnce = 16

func (f *feeder) startFleet(ctx context.Context, trips []trip) (*fleet, error) {
	streets, err := city.Load()
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	fl := &fleet{streets: streets, speed: max(f.cfg.Speed, 0.1), drivers: map[string]*driver{}, cancel: cancel, rides: map[string]chan client.Ride{}}
	prefix := f.rec.hash + "-d"
	for n := range max(f.cfg.Drivers, 1) {
		id := fmt.Sprintf("%s%d", prefix, n)
		at := trips[n*len(trips)/max(f.cfg.Drivers, 1)].pickup
		fl.drivers[id] = &driver{fleet: fl, session: f.importer.For(id), mover: client.Mover{At: at}, wake: make(chan struct{}, 1)}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(startAtOnce)
	for _, d := range fl.drivers {
		g.Go(func() error { return d.login(gctx) })
	}
	if err := g.Wait(); err != nil {
		cancel()
		return nil, fmt.Errorf("feed: a driver could not go on duty: %w", err)
	}
	fl.wait.Go(func() {
		_ = f.importer.WatchAll(ctx, prefix, fl.hear) // drivers ask by themselves too
	})
	for _, d := range fl.drivers {
		fl.wait.Go(func() { d.run(ctx) })
	}
	return fl, nil
}

func (fl *fleet) hear(st client.DriverState) {
	if d, ok := fl.drivers[st.DriverID]; ok {
		d.hear(st)
	}
}

// stop takes the drivers off duty; it gives them a moment for that.
func (fl *fleet) stop(ctx context.Context) {
	fl.cancel()
	fl.wait.Wait()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(startAtOnce)
	for _, d := range fl.drivers {
		g.Go(func() error {
			_, _ = d.session.Duty(ctx, false) // whoever still has a ride stays on it
			return nil
		})
	}
	_ = g.Wait()
}

// endOf gives a channel that hears when one of our drivers ends the ride.
func (fl *fleet) endOf(rideID string) <-chan client.Ride {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	c := make(chan client.Ride, 1)
	fl.rides[rideID] = c
	return c
}

func (fl *fleet) forget(rideID string) {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	delete(fl.rides, rideID)
}

func (fl *fleet) ended(r client.Ride) {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	if c, ok := fl.rides[r.ID]; ok {
		select {
		case c <- r:
		default:
		}
	}
}

// driver is one of feed's own.
type driver struct {
	fleet   *fleet
	session *client.Session
	mover   client.Mover
	track   *client.Track
	wake    chan struct{}
	target  string
	lastFix time.Time
	lastAsk time.Time

	mu    sync.Mutex
	state client.DriverState
}

const (
	step       = time.Second
	idleFixes  = 10 * time.Second // nearby forgets a driver after 60 s
	askEvery   = 30 * time.Second // in case a change was missed
	shownSpeed = 60               // metres a second; --speed makes cars faster than that
	atHandM    = 25
	maxPending = 600
)

func (d *driver) login(ctx context.Context) error {
	last, err := d.session.LastSeq(ctx)
	if err != nil {
		return err
	}
	d.track = client.NewTrack(d.session, last, maxPending)
	st, err := d.session.Duty(ctx, true)
	if err != nil {
		return err
	}
	d.hear(st)
	d.fix(ctx, time.Now())
	return nil
}

func (d *driver) hear(st client.DriverState) {
	d.mu.Lock()
	d.state = st
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *driver) run(ctx context.Context) {
	t := time.NewTicker(step)
	defer t.Stop()
	before := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
		case <-t.C:
		}
		now := time.Now()
		d.mover.Drive(now.Sub(before), d.fleet.speed)
		before = now
		if err := d.act(ctx, now); err != nil && ctx.Err() == nil {
			d.ask(ctx) // a surprise: see what booking says
		}
		if !d.mover.Arrived() || now.Sub(d.lastFix) > idleFixes {
			d.fix(ctx, now)
		}
	}
}

// act does the next thing that the driver's offer or ride wants.
func (d *driver) act(ctx context.Context, now time.Time) error {
	d.mu.Lock()
	st := d.state
	d.mu.Unlock()
	switch {
	case st.Ride != nil:
		return d.serve(ctx, *st.Ride)
	case st.Offer != nil:
		ride, err := d.session.Accept(ctx, st.Offer.ID)
		if client.IsCode(err, problem.Gone) || client.IsCode(err, problem.NotFound) || client.IsCode(err, problem.Conflict) {
			d.ask(ctx)
			return nil
		}
		if err != nil {
			return err
		}
		return d.serve(ctx, ride)
	case now.Sub(d.lastAsk) > askEvery:
		d.ask(ctx)
	}
	return nil
}

func (d *driver) ask(ctx context.Context) {
	d.lastAsk = time.Now()
	if st, err := d.session.DriverState(ctx); err == nil {
		d.mu.Lock()
		d.state = st
		d.mu.Unlock()
	}
}

// serve brings a ride as far as it goes now.
func (d *driver) serve(ctx context.Context, r client.Ride) (err error) {
	if r.State == client.Assigned && d.reach(r.ID+"/pickup", r.Pickup.Point) {
		if r, err = d.session.Arrive(ctx, r.ID); err != nil {
			return err
		}
	}
	if r.State == client.Arrived {
		if r, err = d.session.PickUp(ctx, r.ID); err != nil {
			return err
		}
	}
	if r.State == client.PickedUp && d.reach(r.ID+"/dropoff", r.Dropoff.Point) {
		if r, err = d.session.DropOff(ctx, r.ID); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state.Offer, d.state.Ride = nil, &r
	if r.Terminal() {
		d.state.Ride = nil
		d.fleet.ended(r)
	}
	return nil
}

func (d *driver) reach(target string, to geo.Point) bool {
	if d.target != target {
		d.target = target
		route, err := d.fleet.streets.Route(d.mover.At, to)
		if err != nil {
			route.Points, route.SpeedsMPS = []geo.Point{to}, nil
		}
		d.mover.Follow(append(append([]geo.Point{d.mover.At}, route.Points...), to), append([]float64{0}, route.SpeedsMPS...))
	}
	return d.mover.Arrived() || geo.Distance(d.mover.At, to) < atHandM
}

func (d *driver) fix(ctx context.Context, now time.Time) {
	d.lastFix = now
	err := d.track.Add(client.Point{
		At: now.UnixMilli(), Lat: d.mover.At.Lat, Lon: d.mover.At.Lon,
		Speed: min(d.mover.Speed, shownSpeed), Heading: d.mover.Heading, Accuracy: 5,
	})
	if errors.Is(err, client.ErrFull) {
		return // away for ten minutes: what waits goes first
	}
	_ = d.track.Flush(ctx) // what is left goes with the next
}
