package ride

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/event"
	"tandem/services/internal/queue/outbox"
)

// Receipt is one receive of a ride's message by a worker.
type Receipt struct {
	MessageID string
	PID       int
	Worker    string
	Receives  int       // this is the nth receive
	SentAt    time.Time // by SQS's clock; zero: not known
}

// data is what the ride's history says of the receive.
func (m Receipt) data() map[string]any {
	return map[string]any{"message_id": m.MessageID, "pid": m.PID, "worker": m.Worker, "receives": m.Receives}
}

// Received writes the receive as the ride's event and puts off the sweeper for
// as long as the message may still come back. It returns ErrAttempt if the ride
// has a newer message: then drop this one. It returns ErrAhead for an attempt that
// the ride has not come to.
func (s *Store) Received(ctx context.Context, rideID string, attempt int, m Receipt) (r Ride, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		r, err = getRide(ctx, tx, `SELECT `+rideColumns+fromRides+`WHERE r.id = $1 FOR UPDATE OF r`, rideID)
		if err != nil {
			return err
		}
		// An attempt is committed before its message is sent. So a message ahead of its ride
		// says that the database has lost what it had committed, as a restored one has.
		if attempt > r.Attempt {
			return fmt.Errorf("%w: the message is of attempt %d, and the ride is at %d, as after a restore of the database", ErrAhead, attempt, r.Attempt)
		}
		if attempt < r.Attempt {
			return fmt.Errorf("%w: %d, not %d", ErrAttempt, r.Attempt, attempt)
		}

		// The sweeper sends another message only when this one cannot come back.
		if r.State.searching() {
			left := time.Duration(event.Tries-m.Receives+1) * s.times.Visibility
			// A wake_at at expires_at says that the message is a dead letter, and it is none
			// any more: it was redriven. If it is lost now, the sweeper sends another.
			if _, err := tx.Exec(ctx, `UPDATE ride.rides SET wake_at = greatest(nullif(wake_at, expires_at), clock_timestamp() + $2::interval) WHERE id = $1`,
				rideID, left+s.times.Margin); err != nil {
				return fmt.Errorf("ride: wake: %w", err)
			}
		}

		data := m.data()
		// When it was sent is SQS's to say: the relay notes it only after SQS's answer,
		// and this worker may have been faster.
		if !m.SentAt.IsZero() {
			data["sent_at"] = m.SentAt
		}
		// A receive that follows earlier than that is a copy; one that follows later
		// means that nobody has kept the message hidden.
		data["visibility_s"] = s.times.Visibility.Seconds()
		return writeEvent(ctx, tx, r, EventReceived, "worker "+m.Worker, data, "")
	})
	return r, err
}

// Deleted writes that the ride's message was deleted from the queue.
func (s *Store) Deleted(ctx context.Context, rideID, messageID, worker string) error {
	return s.note(ctx, rideID, EventDeleted, "worker "+worker, map[string]any{"message_id": messageID})
}

// TryEnded writes that a try ended and the message was not deleted, and how. A
// try whose worker died has no such event.
func (s *Store) TryEnded(ctx context.Context, rideID string, m Receipt, outcome string) error {
	data := m.data()
	data["outcome"] = outcome
	return s.note(ctx, rideID, EventTryEnded, "worker "+m.Worker, data)
}

// DeadLettered writes that the ride's message goes to the dead-letter queue, and why. A person has
// until the ride expires to redrive it; then the sweeper closes the ride.
func (s *Store) DeadLettered(ctx context.Context, rideID string, attempt int, reason, by string) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		r, err := getRide(ctx, tx, `SELECT `+rideColumns+fromRides+`WHERE r.id = $1 FOR UPDATE OF r`, rideID)
		if err != nil {
			return err
		}

		if r.Attempt != attempt || r.State.Terminal() {
			return nil // a newer message has taken its place, or the ride has ended
		}

		if r, err = s.endOffer(ctx, tx, r, by); err != nil {
			return err
		}

		// Until then the sweeper sends no other message, because a person may redrive
		// this one. While a driver may still accept, it looks at the ride as before.
		if r.State == Requested {
			if _, err := tx.Exec(ctx, `UPDATE ride.rides SET wake_at = expires_at WHERE id = $1`, rideID); err != nil {
				return fmt.Errorf("ride: wake: %w", err)
			}
		}

		return writeEvent(ctx, tx, r, EventDeadLettered, by, map[string]any{"reason": reason}, "")
	})
}

// endOffer ends the open offer of a ride whose message is a dead letter, once it is past
// its deadline. No worker does it any more, and until it is ended its driver gets no
// other ride.
func (s *Store) endOffer(ctx context.Context, tx pgx.Tx, r Ride, by string) (Ride, error) {
	r, err := s.currentOffer(ctx, tx, r)
	if err != nil || r.Offer == nil {
		return r, err
	}

	var late bool
	if err := tx.QueryRow(ctx, `SELECT $1 < clock_timestamp()`, r.Offer.ExpiresAt).Scan(&late); err != nil {
		return r, fmt.Errorf("ride: clock: %w", err)
	}
	if !late {
		return r, nil
	}
	return s.Apply(ctx, tx, r.ID, Action{Kind: ActExpireOffer, Offer: r.Offer.ID}, by)
}

// note writes an event that changes nothing of the ride. It locks the ride, so
// that the event's number is in the order of commits.
func (s *Store) note(ctx context.Context, rideID string, kind EventKind, by string, data map[string]any) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		r, err := getRide(ctx, tx, `SELECT `+rideColumns+fromRides+`WHERE r.id = $1 FOR UPDATE OF r`, rideID)
		if err != nil {
			return err
		}
		return writeEvent(ctx, tx, r, kind, by, data, "")
	})
}

// OnSent is the relay's hook: that a request was sent is an event of its ride. It
// takes as many statements for a batch as for one message, because the relay's
// transaction, and SQS's answer with it, waits for them.
func OnSent(ctx context.Context, tx pgx.Tx, sent []outbox.Sent) error {
	var rides, outboxIDs, messages, changes []string
	var delays []float64
	for _, m := range sent {
		if m.Queue == event.QueueRideRequests {
			rides, outboxIDs, messages = append(rides, m.Key), append(outboxIDs, m.ID), append(messages, m.MessageID)
			changes, delays = append(changes, fmt.Sprintf(`{"r":%q}`, m.Key)), append(delays, m.Delay.Seconds())
		}
	}
	if len(rides) == 0 {
		return nil
	}

	// Under the rides' locks, so that an event's number is in the order of commits:
	// a reader that has seen a later number would never read it. In one order, so
	// that two transactions do not wait for each other.
	if _, err := tx.Exec(ctx, `SELECT FROM ride.rides WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`, rides); err != nil {
		return fmt.Errorf("ride: queued: %w", err)
	}

	// A message that waited in the outbox can come back from the queue that much
	// later; of several the last one.
	if _, err := tx.Exec(ctx, `UPDATE ride.rides r SET wake_at = r.wake_at + (clock_timestamp() - o.added_at)
		FROM (SELECT key, max(added_at) AS added_at FROM ride.outbox WHERE id = ANY($1::uuid[]) GROUP BY key) o
		WHERE r.id::text = o.key AND r.id = ANY($2::uuid[]) AND r.state IN ('requested', 'offered')`, outboxIDs, rides); err != nil {
		return fmt.Errorf("ride: wake: %w", err)
	}

	// Under the attempt that the message was promised for. The ride may be at another
	// one by now: a worker can be done with the message before this runs.
	_, err := tx.Exec(ctx, `INSERT INTO ride.ride_events (ride_id, kind, at, by, attempt, data)
		SELECT r.id, 'queued', clock_timestamp(), 'relay', (convert_from(o.body, 'UTF8')::jsonb->'data'->>'attempt')::int,
			jsonb_build_object('message_id', m.message_id, 'outbox_id', m.outbox_id, 'delay_s', m.delay_s)
		FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::float8[]) WITH ORDINALITY AS m (ride_id, message_id, outbox_id, delay_s, n)
		JOIN ride.rides r ON r.id = m.ride_id JOIN ride.outbox o ON o.id = m.outbox_id ORDER BY m.n`, rides, messages, outboxIDs, delays)
	if err != nil {
		return fmt.Errorf("ride: queued: %w", err)
	}

	if _, err := tx.Exec(ctx, `SELECT pg_notify($1, c) FROM unnest($2::text[]) AS c`, channel, changes); err != nil {
		return fmt.Errorf("ride: notify: %w", err)
	}
	return nil
}
