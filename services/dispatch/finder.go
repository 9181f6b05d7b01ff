package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"tandem/services/domain/geo"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/problem"
)

// A ride is offered to the nearest drivers, in the order in which they can be there
// by street.
const (
	searchFirst  = 40   // drivers asked for at first, and routed at most
	searchMost   = 2560 // asked for at last
	searchEnough = 5    // drivers who can be asked
	searchWithin = 6000 // metres

	// A rider walks to a car that stands so near, in metres, at so many metres a second.
	besideThePickup, walking = 40.0, 1.4
)

// nearbyFinder asks nearby where drivers are and orders them by travel time.
type nearbyFinder struct {
	client *httpclient.Client
	// times returns how long the way along streets takes from each of from to to.
	times func(to geo.Point, from []geo.Point) []time.Duration
}

// errNearby is wrapped by every error of asking nearby.
var errNearby = errors.New("dispatch: ask nearby")

// nearbyAway reports whether err says that nearby is away: any error of asking it,
// except one that says that the question itself is wrong.
func nearbyAway(err error) bool {
	var p *problem.Error
	return errors.Is(err, errNearby) && (!errors.As(err, &p) || p.Code.Status() >= 500 || p.Code == problem.TooMany)
}

// candidate is a driver who may be asked.
type candidate struct {
	ID string `json:"driver_id"`
	geo.Point
	away time.Duration // from the pick-up, by street
}

// Find implements finder.
func (f nearbyFinder) Find(ctx context.Context, pickup geo.Point, pick func(context.Context, []string) ([]string, error)) ([]candidate, error) {
	// All of the nearest may be busy. So more are asked for until enough can be
	// asked, or there are no more within the distance.
	for limit := searchFirst; ; limit = min(4*limit, searchMost) {
		near, err := f.near(ctx, pickup, limit)
		if err != nil || len(near) == 0 {
			return nil, err
		}

		// Drivers who cannot be asked are left out before the routing, which is what
		// costs time.
		picked, err := pick(ctx, idsOf(near))
		if err != nil {
			return nil, err
		}
		if len(picked) < searchEnough && len(near) == limit && limit < searchMost {
			continue
		}

		near = slices.DeleteFunc(near, func(d candidate) bool { return !slices.Contains(picked, d.ID) })
		return f.Times(pickup, near[:min(len(near), searchFirst)]), nil
	}
}

func (f nearbyFinder) near(ctx context.Context, pickup geo.Point, limit int) ([]candidate, error) {
	q := url.Values{
		"lat": {strconv.FormatFloat(pickup.Lat, 'f', -1, 64)}, "lon": {strconv.FormatFloat(pickup.Lon, 'f', -1, 64)},
		"limit": {strconv.Itoa(limit)}, "within_m": {strconv.Itoa(searchWithin)},
	}

	var answer struct {
		Drivers []candidate `json:"drivers"`
	}
	if err := f.client.Get(ctx, "/v1/nearby?"+q.Encode(), &answer); err != nil {
		return nil, fmt.Errorf("%w: %w", errNearby, err)
	}
	return answer.Drivers, nil
}

// Times implements finder.
func (f nearbyFinder) Times(pickup geo.Point, drivers []candidate) []candidate {
	out, from := slices.Clone(drivers), make([]geo.Point, len(drivers))
	for i, d := range drivers {
		from[i] = d.Point
	}

	for i, t := range f.times(pickup, from) {
		// A fix is off by some metres. By street, a car that it places just behind the
		// pick-up, or across the road, would have to go round the block.
		if d := geo.Distance(out[i].Point, pickup); d <= besideThePickup {
			t = min(t, time.Duration(d/walking*float64(time.Second)))
		}
		out[i].away = t
	}

	slices.SortStableFunc(out, func(a, b candidate) int { return cmp.Compare(a.away, b.away) })
	return out
}

func idsOf(near []candidate) []string {
	out := make([]string, len(near))
	for i, d := range near {
		out[i] = d.ID
	}
	return out
}
