package feed

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tandem/services/client"
	"tandem/services/domain/city"
)

// fleet is feed's own drivers. They stand where the recorded pick-ups are,
// take what is offered to them, and drive at --speed.
type fleet struct {
	importer *client.Session
	drivers  map[string]*client.Driver
	running  sync.WaitGroup
	cancel   context.CancelFunc

	mu    sync.Mutex
	rides map[string]chan client.Ride // who waits for a ride's end
}

// atOnce bounds how many drivers log in, or off, at the same time.
const atOnce = 16

// policy accepts everything at once: a recorded trip waits for nobody.
func (f *feeder) policy() client.Policy {
	return client.Policy{
		Speed:      max(f.cfg.Speed, 0.1),
		StillEvery: 10 * time.Second, // nearby forgets a driver after 60 s
		AskEvery:   30 * time.Second, // one stream tells of all drivers: a change may be missed
	}
}

// startFleet logs the drivers in, spread over the pick-ups of trips.
func (f *feeder) startFleet(ctx context.Context, trips []trip) (*fleet, error) {
	streets, err := city.Load()
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	// Not ctx: a feed that is stopped lets its drivers finish first.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	fl := &fleet{importer: f.importer, drivers: map[string]*client.Driver{}, cancel: cancel, rides: map[string]chan client.Ride{}}
	prefix, count := f.rec.hash+"-d", f.state.Drivers
	for n := range count {
		id := fmt.Sprintf("%s%d", prefix, n)
		d := client.NewDriver(f.importer.For(id), streets, trips[n*len(trips)/count].pickup, f.policy())
		d.OnEnd = fl.ended
		d.OnPoints = func(sent []client.Point, a client.PointsAnswer) {
			entry := client.NewPointsEntry(id, sent, a)
			_ = f.promise(client.Entry{Kind: client.KindPoints, Points: &entry}) // Close returns the error too
		}
		fl.drivers[id] = d
	}

	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, d := range fl.drivers {
		g.Go(func() error { return d.Start(gctx) })
	}
	if err := g.Wait(); err != nil {
		cancel()
		return nil, fmt.Errorf("feed: a driver could not go on duty: %w", err)
	}

	fl.running.Go(func() {
		_ = f.importer.WatchAll(running, prefix, fl.hear) // drivers ask by themselves too
	})
	for _, d := range fl.drivers {
		fl.running.Go(func() { d.Run(running) })
	}
	return fl, nil
}

func (fl *fleet) hear(st client.DriverState) {
	if d, ok := fl.drivers[st.DriverID]; ok {
		d.Hear(st)
	}
}

// How long drivers may take to finish their rides when feed ends, and when it is
// stopped.
const (
	finishWithin = 5 * time.Minute
	stopWithin   = 10 * time.Second
)

// stop has the drivers finish what they have, which may be rides of others' riders
// too, and go off duty. It returns how many could not in time: who still has a ride
// stays on it.
func (fl *fleet) stop(ctx context.Context) (serving int) {
	for _, d := range fl.drivers {
		d.Retire()
	}

	wait, done := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer done()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(stopWithin, done) })()
	for _, d := range fl.drivers {
		select {
		case <-d.Retired():
		case <-wait.Done():
			if d.State().Ride != nil {
				serving++
			}
		}
	}

	fl.cancel()
	fl.running.Wait()
	return serving
}

// endOf returns a channel that hears when one of our drivers ends the ride.
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
		default: // it heard already
		}
	}
}
