package feed

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tandem/services/client"
	"tandem/services/internal/problem"
)

const (
	lookEvery = 4 * time.Second
	// endWithin is how long after the last booking rides may take to end.
	endWithin = 15 * time.Minute
)

// feedTrips books every trip, never more open than there are drivers.
func (f *feeder) feedTrips(ctx context.Context) error {
	done := min(f.state.Done, len(f.rec.trips))
	trips := f.rec.trips[done:]
	if len(trips) == 0 {
		return nil
	}

	// Rides of the feed before may still be assigned to its drivers: all of them come
	// back. Noted before the first goes on duty, as feed may be killed at any time.
	f.state.Drivers = max(f.state.Drivers, f.cfg.Drivers, 1)
	if err := f.saveState(f.state); err != nil {
		return err
	}
	fleet, err := f.startFleet(ctx, trips)
	if err != nil {
		return err
	}
	f.count(func(s *Summary) { s.Ended = map[string]int{} })

	// The limit is what closes the loop: a trip is booked when an earlier one has
	// ended, so that none waits for a driver that feed does not have.
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(f.state.Drivers)
	finished := &prefix{feeder: f, saved: done, ahead: map[int]*client.Ride{}}
	began := time.Now()
	for i, t := range trips {
		if f.cfg.Speedup > 0 {
			due := time.Duration(float64(t.at.Sub(trips[0].at)) / f.cfg.Speedup)
			select {
			case <-gctx.Done():
			case <-time.After(due - time.Since(began)):
			}
		}

		g.Go(func() error {
			ride, err := f.oneTrip(gctx, t, fleet)
			if err != nil {
				return err
			}
			return finished.add(done+i, ride)
		})
	}

	err = g.Wait()
	serving := fleet.stop(ctx)
	f.count(func(s *Summary) { s.Serving = serving })
	return err
}

// oneTrip books one trip and waits until its ride has ended. It returns nil for a
// trip that was refused.
func (f *feeder) oneTrip(ctx context.Context, t trip, fleet *fleet) (*client.Ride, error) {
	key, rider := fmt.Sprintf("feed-%s-%d", f.rec.hash, t.line), fmt.Sprintf("%s-r%d", f.rec.hash, t.line)
	ride, status, err := f.importer.Book(ctx, key, client.Booking{
		Pickup: client.Place{Point: t.pickup}, Dropoff: client.Place{Point: t.dropoff}, RiderID: rider,
	})
	entry := client.RideEntry{Key: key, RideID: ride.ID, Rider: rider, Status: status}
	if err := f.promise(client.Entry{Kind: client.KindRide, Ride: &entry}); err != nil {
		return nil, err
	}

	switch {
	case client.IsCode(err, problem.Invalid) || client.IsCode(err, problem.Unprocessable):
		f.refuse(t.line, "", problem.From(err).Detail)
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("feed: book the trip of line %d: %w", t.line, err)
	}

	// The key is the same at each feed of the file: a ride of an earlier one comes
	// back as it is now.
	f.count(func(s *Summary) {
		f.waiting = ""
		s.Accepted++
		if ride.Replayed {
			s.Repeated++
		}
	})
	return &ride, f.await(ctx, ride, fleet)
}

func (f *feeder) await(ctx context.Context, ride client.Ride, fleet *fleet) error {
	ended := fleet.endOf(ride.ID)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	giveUp := time.After(endWithin)

	// One of feed's drivers usually ends the ride and reports it; looking finds what
	// ends otherwise.
	for !ride.Terminal() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-giveUp:
			f.count(func(s *Summary) { s.Open++ })
			return nil
		case ride = <-ended:
		case <-look.C:
			now, err := f.importer.Ride(ctx, ride.ID)
			if err != nil {
				return fmt.Errorf("feed: look at ride %s: %w", ride.ID, err)
			}
			ride = now
		}
	}

	fleet.forget(ride.ID)
	f.count(func(s *Summary) { s.Ended[ride.State]++ })
	return nil
}

// prefix notes how many trips from the first on are finished: trips finish out of
// order, and --resume may skip only those before which none is left.
type prefix struct {
	feeder *feeder

	mu    sync.Mutex
	ahead map[int]*client.Ride // finished, but one before it is not; nil: refused
	saved int
}

// saveEach bounds how often progress is written.
const saveEach = 50

func (p *prefix) add(i int, ride *client.Ride) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead[i] = ride
	st := p.advance()

	if st.Done-p.saved < saveEach && len(p.ahead) > 0 {
		return nil
	}
	p.saved = st.Done
	return p.feeder.saveState(st)
}

// advance moves the state over the trips that are finished.
func (p *prefix) advance() state {
	p.feeder.mu.Lock()
	defer p.feeder.mu.Unlock()
	st := &p.feeder.state
	for {
		ride, finished := p.ahead[st.Done]
		if !finished {
			return *st
		}
		delete(p.ahead, st.Done)
		st.Done++
		if ride == nil {
			st.Refused++
			continue
		}
		st.Accepted++
		st.Witness = witness{Ride: ride.ID}
	}
}
