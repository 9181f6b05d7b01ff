package ride

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Do applies an action in a transaction of its own.
func (s *Store) Do(ctx context.Context, rideID string, a Action, by string) (r Ride, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		r, err = s.Apply(ctx, tx, rideID, a, by)
		return err
	})
	return r, err
}

// Apply moves a ride in the caller's transaction: it locks the ride, asks Next,
// and writes state, event and messages. by names who acts, for the ride's history.
// Errors: ErrNotFound, ErrAttempt, ErrState, ErrDriver, ErrOffer, ErrTaken;
// after an error the transaction must be rolled back.
func (s *Store) Apply(ctx context.Context, tx pgx.Tx, rideID string, a Action, by string) (Ride, error) {
	// The lock comes first: of two concurrent actions the second waits here, and
	// then sees what the first has done. It also makes the order of the ride's
	// outbox rows and events the order of commits.
	r, err := getRide(ctx, tx, `SELECT `+rideColumns+fromRides+`WHERE r.id = $1 FOR UPDATE OF r`, rideID)
	if err != nil {
		return r, err
	}

	ctx, span := s.beginAct(ctx, r, a)
	defer span.End()

	// An actor with an old message must not act for the newer one.
	if a.Attempt != 0 && a.Attempt != r.Attempt {
		return r, fmt.Errorf("%w: %d, not %d", ErrAttempt, r.Attempt, a.Attempt)
	}

	if r, err = s.currentOffer(ctx, tx, r); err != nil {
		return r, err
	}
	if err := r.check(a); err != nil {
		return r, err
	}
	to, err := Next(r.State, a)
	if err != nil {
		return r, err
	}

	m := &move{store: s, tx: tx, ride: r, from: r, action: a, by: by, data: map[string]any{}}
	m.ride.State = to
	if err := m.run(ctx); err != nil {
		return r, err
	}
	return m.ride, nil
}

// currentOffer reads the open offer again under the ride's lock. The statement
// that took the lock joined the offers before it waited for the lock, so it may
// have seen an older one.
func (s *Store) currentOffer(ctx context.Context, tx pgx.Tx, r Ride) (Ride, error) {
	r.Offer = nil

	var o Offer
	err := tx.QueryRow(ctx, `SELECT id, driver_id, expires_at FROM ride.offers WHERE ride_id = $1 AND state = 'open'`, r.ID).
		Scan(&o.ID, &o.DriverID, &o.ExpiresAt)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return r, nil
	case err != nil:
		return r, fmt.Errorf("ride: open offer: %w", err)
	}

	r.Offer = &o
	return r, nil
}

// check returns why this actor may not do this, or nil: the offer must be the
// open one, and the driver the ride's own.
func (r Ride) check(a Action) error {
	switch a.Kind {
	case ActAccept, ActRefuse, ActExpireOffer:
		if r.Offer == nil || a.Offer != "" && r.Offer.ID != a.Offer {
			return ErrOffer
		}
		if a.Driver != "" && r.Offer.DriverID != a.Driver {
			return ErrDriver
		}
	case ActRequeue:
		if r.State.accepted() && !a.LoseDriver {
			return fmt.Errorf("%w: a driver has accepted the ride", ErrState)
		}
	case ActArrive, ActPickUp, ActDropOff:
		if a.Driver != "" && r.DriverID != a.Driver {
			return ErrDriver
		}
	}
	return nil
}
