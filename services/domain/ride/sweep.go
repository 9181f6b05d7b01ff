package ride

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/event"
	"tandem/services/internal/postgres"
)

// Swept is what a sweep did.
type Swept struct {
	Requeued, Closed int
	Stuck            []string // the ids of rides picked up long ago: an operator must look
}

// sweepSize bounds one sweep; the next one follows soon.
const sweepSize = 200

// Sweep looks at rides whose wake_at has passed, each in a transaction of its own,
// and moves them on: see the table in the package's documentation. A ride that
// cannot be moved holds up no other: the error names it, and the rest is done.
func (s *Store) Sweep(ctx context.Context) (Swept, error) {
	var out Swept
	ids, err := s.overdue(ctx)
	if err != nil {
		return out, fmt.Errorf("ride: sweep: %w", err)
	}

	var failed []error
	for _, id := range ids {
		err := s.sweepOne(ctx, id, &out)
		if err == nil {
			continue
		}
		failed = append(failed, fmt.Errorf("ride: sweep %s: %w", id, err))
		if ctx.Err() != nil || postgres.Away(err) {
			break // the others would fare no better
		}

		// Put off, so that many such rides do not fill every sweep.
		_, err = s.pool.Exec(ctx, `UPDATE ride.rides SET wake_at = clock_timestamp() + $2::interval WHERE id = $1 AND wake_at IS NOT NULL`, id, s.times.Visibility)
		if err != nil {
			failed = append(failed, fmt.Errorf("ride: put off %s: %w", id, err))
		}
	}
	return out, errors.Join(failed...)
}

// overdue returns the rides to look at, the longest overdue first.
func (s *Store) overdue(ctx context.Context) ([]string, error) {
	// A request that waits in the outbox has not been lost, it is only late: to send
	// another would make two. But past its end a ride is closed also while the
	// queue cannot be reached.
	rows, err := s.pool.Query(ctx, `SELECT r.id::text FROM ride.rides r
		WHERE r.wake_at < clock_timestamp() AND (NOT EXISTS (SELECT FROM ride.outbox o
				WHERE o.queue = $1 AND o.key = r.id::text AND o.sent_at IS NULL AND o.set_aside_at IS NULL)
			OR r.state IN ('requested', 'offered') AND r.expires_at <= clock_timestamp())
		ORDER BY r.wake_at LIMIT $2`, event.QueueRideRequests, sweepSize)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func (s *Store) sweepOne(ctx context.Context, id string, out *Swept) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// wake_at is looked at again under the lock. A ride that somebody else has
		// locked is being moved, by a sweeper of another replica perhaps: skip it.
		r, err := getRide(ctx, tx, `SELECT `+rideColumns+fromRides+`WHERE r.id = $1 AND r.wake_at < clock_timestamp() FOR UPDATE OF r SKIP LOCKED`, id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}

		a := Action{Kind: ActRequeue, Reason: "nothing was heard of the request"}
		switch r.State {
		case PickedUp:
			// The rider is in the car: no other driver can help. An operator ends it,
			// and until then the alarm comes again.
			out.Stuck = append(out.Stuck, id)
			_, err := tx.Exec(ctx, `UPDATE ride.rides SET wake_at = clock_timestamp() + $2::interval WHERE id = $1`, id, s.times.TripWithin)
			return err
		case Assigned, Arrived:
			a.Reason, a.LoseDriver = "the driver was not heard of in time", true
		case Requested, Offered:
			var expired bool
			if err := tx.QueryRow(ctx, `SELECT $1 <= clock_timestamp()`, r.ExpiresAt).Scan(&expired); err != nil {
				return err
			}

			if expired {
				a = Action{Kind: ActGiveUp, Reason: "no driver was found in time"}
			}
		}

		if _, err := s.Apply(ctx, tx, id, a, "sweeper"); err != nil {
			return err
		}

		if a.Kind == ActGiveUp {
			out.Closed++
		} else {
			out.Requeued++
		}
		return nil
	})
}
