package booking

import (
	"context"
	"net/url"
	"time"

	"tandem/services/domain/geo"
	"tandem/services/domain/ride"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/problem"
)

const (
	// pickupWithin is how far from the pick-up a driver may be to arrive there: a
	// pick-up lies up to 600 m off the streets, and the car moves on after its fix.
	pickupWithin = 1000.0
	// fixFor is how long a fix says where the driver is.
	fixFor = 10 * time.Second
	// placeWithin bounds the question: the driver waits behind it.
	placeWithin = 500 * time.Millisecond
)

// whereIs returns where a driver was at its newest fix, and when.
type whereIs func(ctx context.Context, driver string) (at geo.Point, fix time.Time, err error)

// askNearby asks nearby, which hears of a point within a moment; history, which
// keeps it, may lag.
func askNearby(client *httpclient.Client) whereIs {
	return func(ctx context.Context, driver string) (geo.Point, time.Time, error) {
		ctx, cancel := context.WithTimeout(ctx, placeWithin)
		defer cancel()

		var answer struct {
			geo.Point
			At int64 `json:"at"`
		}
		_, err := client.Once(ctx, httpclient.Request{Method: "GET", Path: "/v1/nearby/" + url.PathEscape(driver), Out: &answer})
		return answer.Point, time.UnixMilli(answer.At), err
	}
}

// checkAtPickup refuses to let a driver arrive, or pick up, who is elsewhere.
func (s *service) checkAtPickup(ctx context.Context, r ride.Ride) error {
	if s.whereIs == nil || r.State != ride.Assigned && r.State != ride.Arrived {
		return nil
	}

	// Unknown is not elsewhere: where nearby is away, or has not heard of the driver
	// for a while, a ride goes on.
	at, fix, err := s.whereIs(ctx, r.DriverID)
	if err != nil || time.Since(fix) > fixFor {
		return nil //nolint:nilerr // unknown is not elsewhere
	}

	if away := geo.Distance(at, r.Pickup.Point); away > pickupWithin {
		return problem.New(problem.Conflict, "The car is %.0f m from the pick-up; within %.0f m it has arrived.", away, pickupWithin)
	}
	return nil
}
