package ride

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/geo"
)

// Asked is who had an offer of a ride before and is not to be asked like everybody
// else.
type Asked struct {
	// Not are not asked: they refused the ride, or had an offer of this attempt.
	Not []string
	// Last are asked when nobody else is left: they let an offer of an earlier attempt
	// pass, or accepted the ride and were not heard of again.
	Last []string
}

// Asked returns, by ride, who had an offer of it. A driver whose offer was withdrawn
// did nothing wrong and is in neither list.
func (s *Store) Asked(ctx context.Context, rideIDs ...string) (map[string]Asked, error) {
	rows, err := s.pool.Query(ctx, `SELECT r.id::text, o.driver_id, bool_or(o.state = 'refused' OR o.attempt = r.attempt)
		FROM ride.offers o JOIN ride.rides r ON r.id = o.ride_id
		WHERE r.id = ANY($1::uuid[]) AND o.state <> 'withdrawn' GROUP BY r.id, o.driver_id`, rideIDs)
	if err != nil {
		return nil, fmt.Errorf("ride: asked drivers: %w", err)
	}

	out := map[string]Asked{}
	var id, driver string
	var not bool
	_, err = pgx.ForEachRow(rows, []any{&id, &driver, &not}, func() error {
		a := out[id]
		if not {
			a.Not = append(a.Not, driver)
		} else {
			a.Last = append(a.Last, driver)
		}
		out[id] = a
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ride: asked drivers: %w", err)
	}
	return out, nil
}

// Waiting returns the other rides that wait for a driver, were requested before r, and
// whose pick-up is within metres of r's: the longest waiting first, at most limit. It
// leaves out those that no worker has looked at yet, which are in the queue's order
// anyway.
func (s *Store) Waiting(ctx context.Context, r Ride, metres float64, limit int) ([]Ride, error) {
	near := geo.Around(r.Pickup.Point, metres)

	// wake_at is not null while a ride lives, and there is an index of those.
	rows, err := s.pool.Query(ctx, `SELECT `+rideColumns+fromRides+`
		WHERE r.wake_at IS NOT NULL AND r.state = 'requested' AND r.attempt > 1
			AND r.requested_at < $1 AND r.expires_at > clock_timestamp()
			AND r.pickup_lat BETWEEN $2::float8 AND $3::float8
			AND CASE WHEN $4::float8 <= $5::float8 THEN r.pickup_lon BETWEEN $4 AND $5 ELSE r.pickup_lon >= $4 OR r.pickup_lon <= $5 END
		ORDER BY r.requested_at LIMIT $6`, r.RequestedAt, near.South, near.North, near.West, near.East, limit)
	if err != nil {
		return nil, fmt.Errorf("ride: waiting: %w", err)
	}

	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Ride, error) { return scanRide(row) })
	if err != nil {
		return nil, fmt.Errorf("ride: waiting: %w", err)
	}
	return out, nil
}
