package simulator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"tandem/services/client"
	"tandem/services/domain/geo"
	"tandem/services/internal/auth"
)

const (
	refuseShare = 0.10
	loginAgain  = 5 * time.Second
	idPrefix    = auth.SimulatedPrefix // of every simulated person, whatever the seed
)

// driver is one of the fleet.
type driver struct {
	*client.Driver
	session *client.Session
}

// newDriver returns the fleet's driver of a number. Its first draw is where it
// starts: see warmTrip.
func (s *sim) newDriver(number int) driver {
	rng := s.rng("driver", number)
	start := s.city.RandomPlace(rng, s.hour()).Point
	return s.driverAt(s.driverID(number), start, rng)
}

func (s *sim) driverID(number int) string {
	return fmt.Sprintf("%s%d-d-%04d", idPrefix, s.cfg.Seed, number)
}

// driverAt returns a driver who stands at start and chooses by rng.
func (s *sim) driverAt(id string, start geo.Point, rng *rand.Rand) driver {
	between := func(least, most time.Duration) time.Duration {
		return least + time.Duration(rng.Float64()*float64(most-least))
	}
	place := func() geo.Point { return s.city.RandomPlace(rng, s.hour()).Point }
	ridesToBreak := func() int { return 2 + rng.IntN(6) }

	until := ridesToBreak()
	policy := client.Policy{
		Speed: s.cfg.Speed,
		Think: func(o client.Offer) time.Duration {
			return thinkAbout(o, between(time.Second, 6*time.Second), time.Now())
		},
		Refuse:   func(o client.Offer) bool { return rng.Float64() < refuseShare && !isSlowTrip(o.Ride) },
		Board:    func() time.Duration { return between(2*time.Second, 5*time.Second) },
		Cruise:   place,
		Accuracy: func() float64 { return 4 + 4*rng.Float64() },
		Break: func(rides int) time.Duration {
			if rides < until {
				return 0
			}
			until = ridesToBreak()
			return between(30*time.Second, 90*time.Second)
		},
	}

	session := s.api.As(auth.Driver, id)
	d := client.NewDriver(session, s.city, start, policy)
	d.Log = s.log
	d.OnPoints = func(sent []client.Point, a client.PointsAnswer) { s.recordPoints(session.Subject(), sent, a) }
	return driver{d, session}
}

// drive is a driver's day; it logs in again where that fails.
func (s *sim) drive(ctx context.Context, d driver) {
	for ctx.Err() == nil {
		err := d.Start(ctx)
		if err == nil {
			break
		}
		if ctx.Err() == nil {
			s.log.Warn("a driver cannot go on duty; it tries again in 5 s", "driver", d.session.Subject(), "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(loginAgain):
		}
	}

	go func() {
		if err := d.session.Watch(ctx, d.Hear); err != nil && ctx.Err() == nil {
			s.log.Warn("a driver hears nothing more from booking", "driver", d.session.Subject(), "err", err)
		}
	}()
	s.onRoad.Add(1)
	defer s.onRoad.Add(-1)
	d.Run(ctx)
}
