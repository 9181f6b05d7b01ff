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
	done, err := f.resumeAt()
	if err != nil {
		return err
	}
	trips := f.rec.trips[min(done, len(f.rec.trips)):]
	if len(trips) == 0 {
		return nil
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	fleet, err := f.startFleet(ctx, trips)
	if err != nil {
		return err
	}
	f.count(func(s *Summary) { s.Ended = map[string]int{} })

	// The limit is what closes the loop: a trip is booked when an earlier one has
	// ended, so that none waits for a driver that feed does not have.
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(f.cfg.Drivers, 1))
	finished := newPrefix(done)
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
			if err := f.oneTrip(gctx, t, fleet); err != nil {
				return err
			}
			return finished.add(done+i, f.saveState)
		})
	}

	err = g.Wait()
	fleet.stop(context.WithoutCancel(ctx))
	return err
}

// oneTrip books one trip and waits until its ride has ended.
func (f *feeder) oneTrip(ctx context.Context, t trip, fleet *fleet) error {
	key := fmt.Sprintf("feed-%s-%d", f.rec.hash, t.line)
	began := time.Now()
	ride, _, err := f.importer.Book(ctx, key, client.Booking{
		Pickup: client.Place{Point: t.pickup}, Dropoff: client.Place{Point: t.dropoff}, RiderID: fmt.Sprintf("%s-r%d", f.rec.hash, t.line),
	})

	switch {
	case client.IsCode(err, problem.Invalid) || client.IsCode(err, problem.Unprocessable):
		f.refuse(t.line, "", problem.From(err).Detail)
		return nil
	case err != nil:
		return fmt.Errorf("feed: book the trip of line %d: %w", t.line, err)
	}

	// The key is the same at each feed of the file: a ride of an earlier one comes
	// back as it is now.
	repeated := ride.RequestedAt.Before(began.Add(-time.Minute)) || ride.Terminal()
	f.count(func(s *Summary) {
		s.Accepted++
		if repeated {
			s.Repeated++
		}
	})
	return f.await(ctx, ride, fleet)
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

// prefix counts how many trips from the first on are finished: trips finish out of
// order, and --resume may skip only those before which none is left.
type prefix struct {
	mu    sync.Mutex
	next  int
	ahead map[int]bool
	saved int
}

// saveEach bounds how often progress is written.
const saveEach = 50

func newPrefix(done int) *prefix { return &prefix{next: done, saved: done, ahead: map[int]bool{}} }

func (p *prefix) add(i int, save func(int) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead[i] = true
	for p.ahead[p.next] {
		delete(p.ahead, p.next)
		p.next++
	}

	if p.next-p.saved < saveEach && len(p.ahead) > 0 {
		return nil
	}
	p.saved = p.next
	return save(p.next)
}
