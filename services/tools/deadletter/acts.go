package deadletter

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tandem/services/internal/problem"
)

// By is who acts, and why.
type By struct {
	Who string
	// Verified reports whether who it is was proven, by a token. At a command line
	// everybody can call himself anything.
	Verified bool
	Why      string // a discard needs one of 3 to 500 characters
}

// The acts.
const (
	ActRedrive    = "redrive"
	ActRedriveAll = "redrive all"
	ActCancel     = "cancel redrive"
	ActDiscard    = "discard"
	ActSendAgain  = "send again" // an outbox row
	ActErase      = "erase driver"
)

// The outcomes of an act.
const (
	OutcomeDone    = "done"
	OutcomeFailed  = "failed"  // nothing was changed
	OutcomeUnknown = "unknown" // SQS did not say: look whether the dead letter is there
)

// Act is a row of operations.acts.
type Act struct {
	ID        int64      `json:"id"`
	At        time.Time  `json:"at"`
	Who       string     `json:"who"`
	Verified  bool       `json:"verified"`
	Act       string     `json:"act"`
	Place     string     `json:"place"`
	MessageID string     `json:"message_id,omitempty"`
	RideID    string     `json:"ride_id,omitempty"`
	Why       string     `json:"why,omitempty"`
	Reason    string     `json:"reason,omitempty"` // why it was a dead letter
	Outcome   string     `json:"outcome"`          // empty: cut off, nobody knows whether it happened
	Result    string     `json:"result,omitempty"`
	EndedAt   *time.Time `json:"ended_at"`
}

const (
	leastWhy = 3 // characters
	mostWhy  = 500
)

// Check refuses, as a problem, what the table of acts would.
func (b By) Check(act string) error {
	n := utf8.RuneCountInString(strings.TrimSpace(b.Why))
	switch {
	case b.Who == "" || len(b.Who) > 200:
		return problem.Field("by", "Say who you are, in 1 to 200 characters.")
	case !utf8.ValidString(b.Who+b.Why) || strings.ContainsRune(b.Who+b.Why, 0):
		return problem.Field("why", "It must be text.")
	case act == ActDiscard && n < leastWhy:
		return problem.Field("why", "Say why it is discarded, in %d to %d characters: nobody can ask the message later.", leastWhy, mostWhy)
	case n > mostWhy:
		return problem.Field("why", "It may have at most %d characters.", mostWhy)
	}
	return nil
}

// executor is a pool or a transaction.
type executor interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// intend writes what somebody is about to do. Without the row nothing is done.
func intend(ctx context.Context, q executor, act string, by By, l Letter) (id int64, err error) {
	var rideID *string
	if l.Ride != nil && uuid.Validate(l.Ride.ID) == nil {
		rideID = &l.Ride.ID
	}

	err = q.QueryRow(ctx, `INSERT INTO operations.acts (who, verified, act, place, message_id, ride_id, why, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
		by.Who, by.Verified, act, l.Place, l.ID, rideID, strings.TrimSpace(by.Why), storable(l.Reason)).Scan(&id)
	if err != nil {
		return 0, problem.Wrap(fmt.Errorf("deadletter: write the act: %w", err), problem.Unavailable,
			"Who does what must be written down first, and the database did not take it. Nothing was done; try again.")
	}
	return id, nil
}

// conclude writes what became of it.
func conclude(ctx context.Context, q executor, id int64, outcome, result string) error {
	_, err := q.Exec(ctx, `UPDATE operations.acts SET outcome = $2, result = $3, ended_at = clock_timestamp() WHERE id = $1`,
		id, outcome, storable(shorten(result, shownText)))
	if err != nil {
		return fmt.Errorf("deadletter: write the act's outcome: %w", err)
	}
	return nil
}

// Begin writes in tx that somebody is about to act on something else than a dead letter:
// on subject, which is in place. It returns the act, whose outcome End writes.
func Begin(ctx context.Context, tx pgx.Tx, act, place, subject string, by By) (Act, error) {
	if err := by.Check(act); err != nil {
		return Act{}, err
	}

	l := Letter{Place: place, ID: subject}
	id, err := intend(ctx, tx, act, by, l)
	return actOf(id, act, l, by), err
}

// End writes what became of an act that Begin has written, and returns it with that.
func End(ctx context.Context, q executor, a Act, outcome, result string) (Act, error) {
	a.Outcome, a.Result, a.EndedAt = outcome, result, new(time.Now().UTC())
	return a, conclude(ctx, q, a.ID, outcome, result)
}

// RemoveOldActs deletes acts of longer than keep ago, at most limit of them, and returns
// how many.
func (t *Tool) RemoveOldActs(ctx context.Context, keep time.Duration, limit int) (int64, error) {
	// Of two processes each skips what the other deletes.
	tag, err := t.o.Pool.Exec(ctx, `DELETE FROM operations.acts WHERE id IN (
		SELECT id FROM operations.acts WHERE at < clock_timestamp() - $1::interval ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)`, keep, limit)
	if err != nil {
		return 0, fmt.Errorf("deadletter: remove old acts: %w", err)
	}
	return tag.RowsAffected(), nil
}

// storable is s without the character that Postgres does not store.
func storable(s string) string { return strings.ReplaceAll(s, "\x00", "�") }

// MostActs is how many acts are returned at once, at most.
const MostActs = 200

// Acts returns what people did, the newest first: those before an id, or the newest of
// all with 0; at most limit, 1 to MostActs.
func (t *Tool) Acts(ctx context.Context, before int64, limit int) ([]Act, error) {
	if limit < 1 || limit > MostActs {
		limit = 50
	}

	rows, err := t.o.Pool.Query(ctx, `SELECT id, at, who, verified, act, place, message_id, coalesce(ride_id::text, ''), why, reason,
			coalesce(outcome, ''), result, ended_at
		FROM operations.acts WHERE $1::bigint = 0 OR id < $1 ORDER BY id DESC LIMIT $2`, before, limit)
	if err != nil {
		return nil, fmt.Errorf("deadletter: acts: %w", err)
	}

	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Act])
	if err != nil {
		return nil, fmt.Errorf("deadletter: acts: %w", err)
	}
	return out, nil
}
