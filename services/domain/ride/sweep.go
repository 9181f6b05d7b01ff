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
//
// held returns how many ride requests are on the queue, in flight or not. A request
// that only waits there is not sent again: as many are as the queue lacks.
func (s *Store) Sweep(ctx context.Context, held func(context.Context) (int, error)) (Swept, error) {
	var out Swept
	ids, err := s.overdue(ctx)
	if err != nil {
		return out, fmt.Errorf("ride: sweep: %w", err)
	}

	var failed []error
	lost := 0
	if len(ids) > 0 {
		if lost, err = s.lost(ctx, held); err != nil {
			failed = append(failed, fmt.Errorf("ride: count lost requests: %w", err)) // then none is taken for lost
		}
	}

	for _, id := range ids {
		err := s.sweepOne(ctx, id, &out, &lost)
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

// lost returns how many requests the queue lacks: each ride that looks for a driver
// has one, in the outbox or on the queue.
func (s *Store) lost(ctx context.Context, held func(context.Context) (int, error)) (int, error) {
	// Counted before the queue is asked: a request that is sent in between is then
	// one too many on the queue, and not one too few. A dead letter is on neither;
	// its ride wakes when it expires.
	var should int
	err := s.pool.QueryRow(ctx, `SELECT count(*) FROM ride.rides r
		WHERE r.state IN ('requested', 'offered') AND r.wake_at <> r.expires_at AND NOT EXISTS (SELECT FROM ride.outbox o
			WHERE o.queue = $1 AND o.key = r.id::text AND o.sent_at IS NULL AND o.set_aside_at IS NULL)`, event.QueueRideRequests).Scan(&should)
	if err != nil {
		return 0, err
	}

	n, err := held(ctx)
	if err != nil {
		return 0, err
	}
	return max(should-n, 0), nil
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

func (s *Store) sweepOne(ctx context.Context, id string, out *Swept, lost *int) error {
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
			} else if *lost == 0 {
				return s.wait(ctx, tx, r)
			} else {
				*lost--
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

// wait puts off a ride whose request is still on the queue.
func (s *Store) wait(ctx context.Context, tx pgx.Tx, r Ride) error {
	// The worker that made the offer is gone, and its driver must not wait as long
	// as the message does.
	if r.State == Offered {
		_, err := s.Apply(ctx, tx, r.ID, Action{Kind: ActExpireOffer}, "sweeper")
		return err
	}

	// Never to expires_at itself, which says that the request is a dead letter.
	_, err := tx.Exec(ctx, `UPDATE ride.rides SET wake_at = least(clock_timestamp() + $2::interval, expires_at + interval '1 millisecond') WHERE id = $1`,
		r.ID, event.Tries*s.times.Visibility+s.times.Margin)
	return err
}
