package dispatch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"tandem/services/domain/geo"
	"tandem/services/domain/ride"
)

const (
	// maxContending is how many rides besides a worker's own are looked at. With 20, the
	// rule below does nearly as well as with all that wait (see simulation_test.go).
	maxContending = 20
	// lastResort is added to the way of a driver who is asked when nobody else is left.
	// It is longer than any way, and than the age of any ride.
	lastResort = 24 * time.Hour
)

// errNobody is returned when none of the drivers could be asked.
var errNobody = errors.New("dispatch: no driver is free")

// offer offers r to the best of the drivers who were found for it. Rides near it that
// found nobody before and have waited for longer contend for the same drivers, so
// they are looked at together, and some of them may be offered before r.
//
// A request that found nobody comes back after a delay and at the queue's tail. If
// each worker thought of its own ride alone, newer rides would take every driver who
// becomes free, from far away, until the older ones expire.
func (h *handler) offer(ctx context.Context, r ride.Ride, drivers []candidate) (ride.Ride, error) {
	if len(drivers) == 0 {
		return r, errNobody
	}

	asks, err := h.contending(ctx, r, drivers)
	if err != nil {
		return r, err
	}

	gone := map[string]bool{} // rides that have an offer, and drivers who have one
	for _, p := range proposals(time.Now(), asks) {
		if gone[p.ride.ID] || gone[p.driver] {
			continue
		}

		// Nobody waits here for the answer to another ride's offer: whoever receives that
		// ride's message next finds it offered, and if nobody does in time, the sweeper
		// ends the offer.
		offered, err := h.do(ctx, p.ride, ride.Action{Kind: ride.ActOffer, Driver: p.driver})
		switch {
		case errors.Is(err, ride.ErrTaken): // another ride has this driver now
			gone[p.driver] = true
		case p.ride.ID == r.ID:
			return offered, err
		case err == nil:
			gone[p.ride.ID], gone[p.driver] = true, true
		case overtaken(err): // that ride's own worker has moved it
			gone[p.ride.ID] = true
		default:
			return r, err
		}
	}
	return r, errNobody
}

// ask is a ride that asks for a driver, and who can be offered to it.
type ask struct {
	ride    ride.Ride
	drivers []candidate // away: from here to the ride's pick-up
	last    []string    // are asked when nobody else is left
}

// contending returns what r and the rides that contend with it ask for.
func (h *handler) contending(ctx context.Context, r ride.Ride, drivers []candidate) ([]ask, error) {
	waiting, err := h.rides.Waiting(ctx, r, searchWithin, maxContending)
	if err != nil {
		return nil, err
	}

	ids := []string{r.ID}
	for _, w := range waiting {
		ids = append(ids, w.ID)
	}

	asked, err := h.rides.Asked(ctx, ids...)
	if err != nil {
		return nil, err
	}

	asks := []ask{{r, drivers, asked[r.ID].Last}}
	for _, w := range waiting {
		reach := slices.DeleteFunc(slices.Clone(drivers), func(d candidate) bool {
			return slices.Contains(asked[w.ID].Not, d.ID) || geo.Distance(d.Point, w.Pickup.Point) > searchWithin
		})
		if len(reach) > 0 {
			asks = append(asks, ask{w, h.finder.Times(w.Pickup.Point, reach), asked[w.ID].Last})
		}
	}
	return asks, nil
}

// proposal is a ride and a driver for it.
type proposal struct {
	ride   ride.Ride
	driver string
	cost   time.Duration
}

// proposals returns every pair of a ride and a driver, the best first: the one with the
// shortest way to the pick-up less the time that the rider has waited. So a second
// waited counts as much as a second of driving. The way alone would leave a rider
// at the edge of the city waiting for ever; the age alone would send each driver across
// the city, who then serves fewer (simulation_test.go has the numbers).
func proposals(now time.Time, asks []ask) []proposal {
	var out []proposal
	for _, a := range asks {
		waited := now.Sub(a.ride.RequestedAt)
		for _, d := range a.drivers {
			cost := d.away - waited
			if slices.Contains(a.last, d.ID) {
				cost += lastResort
			}
			out = append(out, proposal{a.ride, d.ID, cost})
		}
	}

	slices.SortStableFunc(out, func(a, b proposal) int { return cmp.Compare(a.cost, b.cost) })
	return out
}
