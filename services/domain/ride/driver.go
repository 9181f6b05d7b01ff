package ride

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// ErrBusy is returned to a driver who goes off duty with a ride or an offer.
var ErrBusy = errors.New("ride: the driver has a ride or an offer")

// SetDuty puts a driver on or off duty. It returns ErrBusy for a driver who goes
// off duty in the middle of a ride.
func (s *Store) SetDuty(ctx context.Context, driver string, on bool) (DriverState, error) {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// This locks the row, and an offer locks it too: either the offer sees
		// that the driver is off duty, or the check below sees the offer.
		_, err := tx.Exec(ctx, `INSERT INTO ride.drivers (driver_id, on_duty) VALUES ($1, $2)
			ON CONFLICT (driver_id) DO UPDATE SET on_duty = $2, changed_at = now()`, driver, on)
		if err != nil {
			return fmt.Errorf("ride: duty: %w", err)
		}

		if !on {
			var busy bool
			err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM ride.rides WHERE driver_id = $1
				AND state IN ('offered', 'assigned', 'arrived', 'picked_up'))`, driver).Scan(&busy)
			if err != nil {
				return fmt.Errorf("ride: duty: %w", err)
			}
			if busy {
				return ErrBusy
			}
		}

		return notify(ctx, tx, "", driver, "")
	})
	if err != nil {
		return DriverState{}, err
	}
	return s.Driver(ctx, driver)
}

// Driver returns a driver's duty, open offer and ride.
func (s *Store) Driver(ctx context.Context, driver string) (DriverState, error) {
	st := DriverState{DriverID: driver}

	err := s.pool.QueryRow(ctx, `SELECT on_duty FROM ride.drivers WHERE driver_id = $1`, driver).Scan(&st.OnDuty)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return st, fmt.Errorf("ride: driver: %w", err)
	}

	r, err := getRide(ctx, s.pool, `SELECT `+rideColumns+fromRides+`WHERE r.driver_id = $1
		AND r.state IN ('offered', 'assigned', 'arrived', 'picked_up')`, driver)
	switch {
	case errors.Is(err, ErrNotFound):
		return st, nil
	case err != nil:
		return st, err
	case r.State == Offered && r.Offer != nil:
		o := DriverOffer{ID: r.Offer.ID, Ride: r, ExpiresAt: r.Offer.ExpiresAt}
		err := s.pool.QueryRow(ctx, `SELECT made_at, clock_timestamp() FROM ride.offers WHERE id = $1`, o.ID).Scan(&o.MadeAt, &o.At)
		if err != nil {
			return st, fmt.Errorf("ride: offer: %w", err)
		}
		st.Offer = &o
	case r.State != Offered:
		st.Ride = &r
	}
	return st, nil
}

// DriverIDs returns the drivers whose ids begin with prefix.
func (s *Store) DriverIDs(ctx context.Context, prefix string) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT driver_id FROM ride.drivers WHERE starts_with(driver_id, $1) ORDER BY driver_id`, prefix)
	if err != nil {
		return nil, fmt.Errorf("ride: drivers: %w", err)
	}

	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("ride: drivers: %w", err)
	}
	return out, nil
}

// FreeDrivers returns those of the drivers, in the same order, who are on duty and
// have no live ride. It is a hint: only an offer decides.
func (s *Store) FreeDrivers(ctx context.Context, drivers []string) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT d.driver_id FROM unnest($1::text[]) WITH ORDINALITY AS want(driver_id, n)
		JOIN ride.drivers d USING (driver_id)
		WHERE d.on_duty AND NOT EXISTS (SELECT FROM ride.rides r WHERE r.driver_id = d.driver_id
			AND r.state IN ('offered', 'assigned', 'arrived', 'picked_up'))
		ORDER BY want.n`, drivers)
	if err != nil {
		return nil, fmt.Errorf("ride: free drivers: %w", err)
	}

	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("ride: free drivers: %w", err)
	}
	return out, nil
}

// OfferRide returns the ride that an offer is or was about, and the driver whom it
// was made to. For another driver's offer it returns ErrNotFound, unless driver is
// empty.
func (s *Store) OfferRide(ctx context.Context, offerID, driver string) (rideID, offeredTo string, err error) {
	// The parameter is cast, not the column, which has an index.
	err = s.pool.QueryRow(ctx, `SELECT ride_id::text, driver_id FROM ride.offers WHERE id = $1::uuid AND ($2 = '' OR driver_id = $2)`, offerID, driver).
		Scan(&rideID, &offeredTo)
	if errors.Is(err, pgx.ErrNoRows) || uuid.Validate(offerID) != nil { // what is no UUID is no offer's id
		return "", "", ErrNotFound
	}
	if err != nil {
		return "", "", fmt.Errorf("ride: offer: %w", err)
	}
	return rideID, offeredTo, nil
}
