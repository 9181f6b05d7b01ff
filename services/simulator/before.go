package simulator

import (
	"context"
	"strings"
	"sync"
	"time"

	"tandem/services/client"
	"tandem/services/internal/auth"
)

const (
	lookForAbsent = 15 * time.Second
	// absentAfter is how long a driver has sent no fix if nobody drives it any more.
	absentAfter = 30 * time.Second
)

// bringBack lets drivers of an earlier run, which had more of them or another seed,
// finish their rides: nobody else can end a ride that was picked up.
func (s *sim) bringBack(ctx context.Context) error {
	known := map[string]bool{}
	for n := range s.cfg.Drivers {
		known[s.driverID(n)] = true
	}

	var back sync.WaitGroup
	defer back.Wait()
	tick := time.NewTicker(lookForAbsent)
	defer tick.Stop()
	for {
		rides, err := s.underWay(ctx)
		for _, r := range rides {
			if err != nil || known[r.DriverID] || !strings.HasPrefix(r.DriverID, idPrefix) {
				continue
			}
			var absent bool
			if absent, err = s.absent(ctx, r.DriverID); absent {
				known[r.DriverID] = true
				back.Go(func() { s.finishRide(ctx, r) })
			}
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("the drivers of an earlier run were not looked for; they are in 15 s", "err", err)
		}

		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// underWay returns all rides that have a driver.
func (s *sim) underWay(ctx context.Context) (out []client.Ride, err error) {
	operator := s.api.As(auth.Admin, "simulator")
	for _, state := range []string{client.Assigned, client.Arrived, client.PickedUp} {
		for after, more := "", true; more; more = after != "" {
			var page []client.Ride
			if page, after, err = operator.Rides(ctx, state, after); err != nil {
				return nil, err
			}
			out = append(out, page...)
		}
	}
	return out, nil
}

// absent reports whether a driver sends nothing: another simulator may drive it.
func (s *sim) absent(ctx context.Context, driver string) (bool, error) {
	last, err := s.api.As(auth.Driver, driver).LastSeq(ctx)
	return err == nil && time.Since(time.UnixMilli(last)) > absentAfter, err
}

// finishRide drives a ride's driver from the pick-up to the ride's end, and off duty.
func (s *sim) finishRide(ctx context.Context, r client.Ride) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	d := s.driverAt(r.DriverID, r.Pickup.Point, s.rng(r.DriverID, 0))
	d.Retire() // it takes no other
	go func() {
		select {
		case <-d.Retired():
			cancel()
		case <-ctx.Done():
		}
	}()
	s.drive(ctx, d)
}
