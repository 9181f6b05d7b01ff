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

type nearDriver struct {
	ID string `json:"driver_id"`
	geo.Point
	away time.Duration
}

// Find implements finder.
func (f nearbyFinder) Find(ctx context.Context, pickup geo.Point, pick func(context.Context, []string) ([]string, error)) ([]string, error) {
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

		near = slices.DeleteFunc(near, func(d nearDriver) bool { return !slices.Contains(picked, d.ID) })
		return idsOf(f.soonest(near[:min(len(near), searchFirst)], pickup)), nil
	}
}

func (f nearbyFinder) near(ctx context.Context, pickup geo.Point, limit int) ([]nearDriver, error) {
	q := url.Values{
		"lat": {strconv.FormatFloat(pickup.Lat, 'f', -1, 64)}, "lon": {strconv.FormatFloat(pickup.Lon, 'f', -1, 64)},
		"limit": {strconv.Itoa(limit)}, "within_m": {strconv.Itoa(searchWithin)},
	}

	var answer struct {
		Drivers []nearDriver `json:"drivers"`
	}
	if err := f.client.Get(ctx, "/v1/nearby?"+q.Encode(), &answer); err != nil {
		return nil, fmt.Errorf("%w: %w", errNearby, err)
	}
	return answer.Drivers, nil
}

// soonest orders drivers by how long they take to the pick-up.
func (f nearbyFinder) soonest(near []nearDriver, pickup geo.Point) []nearDriver {
	from := make([]geo.Point, len(near))
	for i, d := range near {
		from[i] = d.Point
	}

	for i, t := range f.times(pickup, from) {
		near[i].away = t
	}
	slices.SortStableFunc(near, func(a, b nearDriver) int { return cmp.Compare(a.away, b.away) })
	return near
}

func idsOf(near []nearDriver) []string {
	out := make([]string, len(near))
	for i, d := range near {
		out[i] = d.ID
	}
	return out
}
