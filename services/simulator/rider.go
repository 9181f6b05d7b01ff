package simulator

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"tandem/services/client"
	"tandem/services/domain/geo"
	"tandem/services/internal/auth"
)

const (
	riderLooksEvery = 3 * time.Second
	cancelShare     = 0.03
	shortestTripM   = 600
	longestTripM    = 5_000
)

// trip is what the nth rider wants; it follows from the seed and n.
type trip struct {
	pickup, dropoff client.Place
	gap             float64 // since the rider before, as a share of the average
	cancels         bool
	cancelsLate     bool // once a driver has accepted
}

func (s *sim) trip(n int) trip {
	rng := s.rng("rider", n)
	t := trip{pickup: s.place(s.city.RandomPlace(rng, s.hour()).Point), cancels: rng.Float64() < cancelShare}
	t.gap = rng.ExpFloat64()
	t.dropoff = s.dropoffFrom(t.pickup, rng)
	t.cancelsLate = rng.Float64() < s.cfg.CancelShare
	return t
}

// wait is how long after the rider before a trip's rider comes, at a time since riders
// began to come.
func (s *sim) wait(t trip, at time.Duration) time.Duration {
	perMinute := s.cfg.RidersPerMinute
	if rush := s.cfg.Rush; at >= rush.After && at < rush.After+rush.For {
		perMinute = rush.RidersPerMinute
	}
	return time.Duration(t.gap * float64(time.Minute) / max(perMinute, 0.01))
}

// dropoffFrom draws a place that is worth a ride and not across the whole city;
// from its outskirts, the nearest that was drawn.
func (s *sim) dropoffFrom(pickup client.Place, rng *rand.Rand) client.Place {
	var best client.Place
	nearest := math.Inf(1)

	for range 50 {
		p := s.place(s.city.RandomPlace(rng, s.hour()).Point)
		d := geo.Distance(pickup.Point, p.Point)
		if d > shortestTripM && d < nearest {
			best, nearest = p, d
		}
		if nearest < longestTripM {
			break
		}
	}
	return best
}

func (s *sim) place(p geo.Point) client.Place {
	return client.Place{Point: geo.Point{Lat: round6(p.Lat), Lon: round6(p.Lon)}, Label: s.city.Nearest(p).Label}
}

func round6(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// bookings lets riders come until ctx ends or the simulation's time is over.
func (s *sim) bookings(ctx context.Context) error {
	over := make(<-chan time.Time)
	if s.cfg.For > 0 {
		over = time.After(s.cfg.For)
	}

	s.warm(ctx)
	began := time.Now()
	for n := s.warmRiders(); ; n++ {
		if s.cfg.RidersPerMinute <= 0 {
			select {
			case <-ctx.Done():
			case <-over:
				s.finish(ctx)
				<-ctx.Done()
			}
			return nil
		}

		t := s.trip(n)
		select {
		case <-ctx.Done():
			return nil
		case <-over:
			s.finish(ctx)
			<-ctx.Done()
			return nil
		case <-time.After(s.wait(t, time.Since(began))):
			s.ride(ctx, n, t)
		}
	}
}

// warm books for 30 % of the drivers, but for those who are on a trip already:
// from the run before.
func (s *sim) warm(ctx context.Context) {
	for n := range s.warmRiders() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(warmEvery):
		}
		if s.fleet[n].State().Ride == nil {
			s.ride(ctx, n, s.warmTrip(n))
		}
	}
}

// warmTrip begins where a driver starts, so that the first cars are full soon.
func (s *sim) warmTrip(n int) trip {
	t := s.trip(n)
	t.cancels = false
	t.pickup = s.place(s.city.RandomPlace(s.rng("driver", n), s.hour()).Point)
	t.dropoff = s.dropoffFrom(t.pickup, s.rng("warm", n))
	return t
}

func (s *sim) warmRiders() int { return int(float64(s.cfg.Drivers) * warmShare) }

// ride runs one rider in a goroutine of its own; at most maxOpen at a time.
func (s *sim) ride(ctx context.Context, n int, t trip) {
	// It does not wait for a place: riders come as the seed says, however slow
	// Tandem is, or a slow Tandem would be asked for less.
	select {
	case s.open <- struct{}{}:
	default:
		s.log.Warn("a rider was turned away: too many rides are open", "open", cap(s.open))
		return
	}

	s.riders.Go(func() {
		defer func() { <-s.open }()
		s.oneRide(ctx, n, t)
	})
}

func (s *sim) oneRide(ctx context.Context, n int, t trip) {
	rider := fmt.Sprintf("%s%d-r-%05d", idPrefix, s.cfg.Seed, n)
	session := s.api.As(auth.Rider, rider)
	key := fmt.Sprintf("%s-%05d", s.cfg.RunID, n)

	s.stats.requested()
	ride, status, err := session.Book(ctx, key, client.Booking{Pickup: t.pickup, Dropoff: t.dropoff})
	s.recordRide(key, rider, ride.ID, status)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("a booking failed", "rider", rider, "status", status, "err", err)
		}
		return
	}
	s.stats.booked(ride)

	look := time.NewTicker(riderLooksEvery)
	defer look.Stop()
	for !ride.Terminal() {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}

		if t.cancels || t.cancelsLate && ride.AssignedAt != nil {
			t.cancels, t.cancelsLate = false, false
			if _, err := session.Cancel(ctx, ride.ID); err != nil && ctx.Err() == nil {
				s.log.Debug("a cancellation came too late", "ride", ride.ID, "err", err)
			}
		}

		now, err := session.Ride(ctx, ride.ID)
		if err != nil {
			continue // a rider looks again
		}
		ride = now
		s.stats.seen(ride)
	}

	s.stats.ended(ride)
}
