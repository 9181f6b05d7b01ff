package notification

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// store is all SQL of the service, on schema notification.
type store struct{ pool *pgxpool.Pool }

// riderLock is the class of the advisory lock that orders a rider's inbox.
const riderLock = 7266_3003

// textOf says what is to become of an event's text.
type textOf int

const (
	textNone   textOf = iota // the rider has no verified phone
	textCapped               // the rider has had enough today
	textMaybe                // pending; or a repeat, of which the delivery record says more
)

// putInbox writes the inbox row and its delivery in one transaction, the first time
// that the event comes. If the rider has a verified phone by then, it also writes the
// SMS: pending, or not_sent if the rider has had enough today. A repeat changes
// nothing.
func (s *store) putInbox(ctx context.Context, n notice) (out textOf, err error) {
	out = textMaybe
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// Under the rider's lock the order of ids is the order of commits: a client
		// that asks for what is after its last id misses nothing.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1, hashtext($2))`, riderLock, n.RiderID); err != nil {
			return err
		}

		// The key decides whether this is a repeat, also against another worker.
		tag, err := tx.Exec(ctx, `
			INSERT INTO notification.deliveries (event_id, channel, rider_id, ride_id, kind, state, tries, sent_at)
			VALUES ($1, 'inbox', $2, $3, $4, 'sent', 1, now()) ON CONFLICT DO NOTHING`, n.EventID, n.RiderID, n.RideID, n.Kind)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}

		c, err := contactOf(ctx, tx, n.RiderID)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO notification.inbox (event_id, rider_id, ride_id, kind, text, at) VALUES ($1, $2, $3, $4, $5, $6)`,
			n.EventID, n.RiderID, n.RideID, n.Kind, text(c.Language, n), n.At); err != nil {
			return err
		}

		if !c.Verified {
			out = textNone
			return nil
		}

		// Counted under the rider's lock: two events at once do not both get the last place.
		var capped bool
		err = tx.QueryRow(ctx, `
			INSERT INTO notification.deliveries (event_id, channel, rider_id, ride_id, kind, state, error)
			SELECT $1, 'sms', $2, $3, $4, CASE WHEN n < $5 THEN 'pending' ELSE 'not_sent' END, CASE WHEN n >= $5 THEN $6 END
			FROM (SELECT count(*) AS n FROM notification.deliveries
				WHERE rider_id = $2 AND channel = 'sms' AND state <> 'not_sent' AND created_at > now() - interval '1 day') AS today
			RETURNING state = 'not_sent'`, n.EventID, n.RiderID, n.RideID, n.Kind, smsPerRider, notSentCap).Scan(&capped)
		if capped {
			out = textCapped
		}
		return err
	})
	if err != nil {
		return out, fmt.Errorf("notification: inbox: %w", err)
	}
	return out, nil
}

// Why a text was not sent, for the delivery's error.
var (
	notSentCap       = fmt.Sprintf("not sent: cap of %d texts a rider in 24 hours", smsPerRider)
	notSentWithdrawn = "not sent: the rider has no verified phone any more"
)

type claimState int

const (
	claimNothing claimState = iota // there is no SMS to send, or it was sent
	claimOurs
	claimOthers // another worker claimed it less than a claim ago
)

type claim struct {
	state    claimState
	to       phone
	language string
}

// claimSMS claims the event's SMS for this worker. A claim that is older than life
// belongs to a worker that died: this worker takes it over, and the text may be sent
// a second time.
func (s *store) claimSMS(ctx context.Context, eventID string, life time.Duration) (claim, error) {
	//excerpt:claim
	var c claim
	err := s.pool.QueryRow(ctx, `
		UPDATE notification.deliveries d SET state = 'claimed', claimed_at = now(), tries = tries + 1
		FROM notification.contacts c
		WHERE d.event_id = $1 AND d.channel = 'sms' AND c.rider_id = d.rider_id AND c.verified_at IS NOT NULL
		  AND (d.state = 'pending' OR d.state = 'claimed' AND d.claimed_at < now() - $2::interval)
		RETURNING c.phone, c.language`, eventID, life).Scan(&c.to, &c.language)

	if err == nil {
		c.state = claimOurs
		return c, nil
	}
	//excerpt:end
	if !errors.Is(err, pgx.ErrNoRows) {
		return c, fmt.Errorf("notification: claim sms: %w", err)
	}

	// The rider may have taken the phone away since the event: then nobody is to claim it.
	_, err = s.pool.Exec(ctx, `
		UPDATE notification.deliveries d SET state = 'not_sent', error = $3
		WHERE d.event_id = $1 AND d.channel = 'sms' AND (d.state = 'pending' OR d.state = 'claimed' AND d.claimed_at < now() - $2::interval)
		  AND NOT EXISTS (SELECT FROM notification.contacts c WHERE c.rider_id = d.rider_id AND c.verified_at IS NOT NULL)`,
		eventID, life, notSentWithdrawn)
	if err != nil {
		return c, fmt.Errorf("notification: claim sms: %w", err)
	}

	var claimed bool
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM notification.deliveries WHERE event_id = $1 AND channel = 'sms' AND state = 'claimed')`,
		eventID).Scan(&claimed)
	if err != nil {
		return c, fmt.Errorf("notification: claim sms: %w", err)
	}

	if claimed {
		c.state = claimOthers
	}
	return c, nil
}

// markSMS writes what became of a claimed SMS. It changes nothing that is not
// claimed, so a late worker cannot turn a sent SMS into a pending one.
func (s *store) markSMS(ctx context.Context, eventID, state, messageID, problem string) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE notification.deliveries SET state = $2, message_id = nullif($3, ''), error = nullif($4, ''),
		       sent_at = CASE WHEN $2 = 'sent' THEN now() END
		WHERE event_id = $1 AND channel = 'sms' AND state = 'claimed'`, eventID, state, messageID, problem)
	if err != nil {
		return fmt.Errorf("notification: mark sms: %w", err)
	}
	return nil
}

type inboxMessage struct {
	ID     int64     `json:"id"`
	RideID string    `json:"ride_id"`
	Kind   string    `json:"kind"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
}

// inbox returns a rider's messages after an id, oldest first. With a negative id it
// returns the newest ones, also oldest first.
func (s *store) inbox(ctx context.Context, rider string, after int64, limit int) ([]inboxMessage, error) {
	order := "id"
	if after < 0 {
		order = "id DESC"
	}

	rows, err := s.pool.Query(ctx, `SELECT id, ride_id, kind, text, at FROM notification.inbox
		WHERE rider_id = $1 AND id > $2 ORDER BY `+order+` LIMIT $3`, rider, after, limit)
	if err != nil {
		return nil, fmt.Errorf("notification: inbox: %w", err)
	}

	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[inboxMessage])
	if err != nil {
		return nil, fmt.Errorf("notification: inbox: %w", err)
	}

	if after < 0 {
		slices.Reverse(out)
	}
	return out, nil
}

type delivery struct {
	EventID   string     `json:"event_id"`
	Channel   string     `json:"channel"`
	RiderID   string     `json:"rider_id"`
	Kind      string     `json:"kind"`
	State     string     `json:"state"`
	Tries     int        `json:"tries"`
	CreatedAt time.Time  `json:"created_at"`
	SentAt    *time.Time `json:"sent_at,omitempty"`
	MessageID *string    `json:"message_id,omitempty"`
	Error     *string    `json:"error,omitempty"`
}

// deliveries returns what was sent about a ride, on every channel.
func (s *store) deliveries(ctx context.Context, rideID string) ([]delivery, error) {
	rows, err := s.pool.Query(ctx, `SELECT event_id, channel, rider_id, kind, state, tries, created_at, sent_at, message_id, error
		FROM notification.deliveries WHERE ride_id = $1 ORDER BY created_at, channel`, rideID)
	if err != nil {
		return nil, fmt.Errorf("notification: deliveries: %w", err)
	}

	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[delivery])
	if err != nil {
		return nil, fmt.Errorf("notification: deliveries: %w", err)
	}
	return out, nil
}
