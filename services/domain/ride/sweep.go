package ride

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/event"
)

// Swept is what a sweep did.
type Swept struct {
	Requeued, Closed int
	Stuck            []string // the ids of rides picked up long ago: an operator must look
}

// sweepSize bounds one sweep; the next one follows soon.
const sweepSize = 200

// Sweep looks at rides whose wake_at has passed and that have no request
// waiting in the outbox, each in a transaction of its own, and moves them on:
// see the table in the package's documentation.
func (s *Store) Sweep(ctx context.Context) (Swept, error) {
	var out Swept

	// A request in the outbox has not been lost: it is only late. To send another
	// would make two.
	rows, err := s.pool.Query(ctx, `SELECT r.id::text FROM ride.rides r
		WHERE r.wake_at < clock_timestamp() AND NOT EXISTS (SELECT FROM ride.outbox o
			WHERE o.queue = $1 AND o.key = r.id::text AND o.sent_at IS NULL)
		ORDER BY r.wake_at LIMIT $2`, event.QueueRideRequests, sweepSize)
	if err != nil {
		return out, fmt.Errorf("ride: sweep: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return out, fmt.Errorf("ride: sweep: %w", err)
	}

	for _, id := range ids {
		if err := s.sweepOne(ctx, id, &out); err != nil {
			return out, err
		}
	}
	return out, nil
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
				return fmt.Errorf("ride: sweep: %w", err)
			}

			if expired {
				a = Action{Kind: ActGiveUp, Reason: "no driver was found in time"}
			}
		}

		if _, err := s.Apply(ctx, tx, id, a, "sweeper"); err != nil {
			return fmt.Errorf("ride: sweep %s: %w", id, err)
		}

		if a.Kind == ActGiveUp {
			out.Closed++
		} else {
			out.Requeued++
		}
		return nil
	})
}
