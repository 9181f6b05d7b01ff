package notification

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// contact is where a rider is told, and in which language. Nothing is sent to a
// phone that is not verified.
type contact struct {
	Phone    phone  `json:"phone"`
	Language string `json:"language"`
	Verified bool   `json:"verified"`
}

// Errors of asking for a code and of confirming it.
var (
	errNoPhone  = errors.New("notification: the rider has left no phone")
	errVerified = errors.New("notification: the phone is verified")
	errNoCode   = errors.New("notification: no code is open")
)

// cappedError says that no more codes are sent for now.
type cappedError struct {
	by    string        // who has asked for too many
	again time.Duration // when it may be tried again
}

func (e *cappedError) Error() string { return "notification: too many codes asked for by " + e.by }

// wrongCodeError says that a code was wrong, and how many tries are left.
type wrongCodeError struct{ left int }

func (e *wrongCodeError) Error() string { return "notification: not the code" }

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// contactOf returns English and no phone for a rider who has left no contact.
func contactOf(ctx context.Context, q querier, rider string) (contact, error) {
	c := contact{Language: english}
	err := q.QueryRow(ctx, `SELECT coalesce(phone, ''), language, verified_at IS NOT NULL FROM notification.contacts WHERE rider_id = $1`, rider).
		Scan(&c.Phone, &c.Language, &c.Verified)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return c, fmt.Errorf("notification: contact: %w", err)
	}
	return c, nil
}

// putContact keeps a contact and returns it. Another phone than before has to be
// verified again, whatever c says.
func (s *store) putContact(ctx context.Context, rider string, c contact) (contact, error) {
	err := s.pool.QueryRow(ctx, `
		INSERT INTO notification.contacts (rider_id, phone, language) VALUES ($1, nullif($2, ''), $3)
		ON CONFLICT (rider_id) DO UPDATE SET phone = excluded.phone, language = excluded.language, updated_at = now(),
			verified_at = CASE WHEN contacts.phone = excluded.phone THEN contacts.verified_at END
		RETURNING verified_at IS NOT NULL`, rider, string(c.Phone), c.Language).Scan(&c.Verified)
	if err != nil {
		return c, fmt.Errorf("notification: contact: %w", err)
	}
	return c, nil
}

// codesLock is the advisory lock under which codes are counted and added.
const codesLock = 7266_3004

// addCode keeps a code for the rider's phone, if no cap stands against it, and
// returns where to send it.
func (s *store) addCode(ctx context.Context, rider, id string, mac []byte) (c contact, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// One lock for all: two requests at once must not both take a cap's last place.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, codesLock); err != nil {
			return err
		}

		if c, err = contactOf(ctx, tx, rider); err != nil {
			return err
		}
		switch {
		case c.Phone == "":
			return errNoPhone
		case c.Verified:
			return errVerified
		}

		if _, err := tx.Exec(ctx, `DELETE FROM notification.codes WHERE created_at <= now() - interval '1 day'`); err != nil {
			return err
		}
		if err := capped(ctx, tx, rider, c.Phone); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO notification.codes (id, rider_id, phone, mac, created_at) VALUES ($1, $2, $3, $4, clock_timestamp())`,
			id, rider, string(c.Phone), mac)
		return err
	})
	if err != nil {
		return c, fmt.Errorf("notification: add code: %w", err)
	}
	return c, nil
}

// capped returns a *cappedError if one more code would be too many.
func capped(ctx context.Context, tx pgx.Tx, rider string, to phone) error {
	for _, limit := range []struct {
		of, where, value string
		most             int
	}{
		{"you", "rider_id = $1", rider, codesPerRider},
		{"this number's riders", "phone = $1", string(to), codesPerPhone},
		{"all riders together", "$1 = ''", "", codesInAll},
	} {
		// If there are so many, one more is free when the oldest of the newest is a day old.
		var again time.Duration
		err := tx.QueryRow(ctx, `SELECT created_at + interval '1 day' - now() FROM notification.codes
			WHERE `+limit.where+` ORDER BY created_at DESC OFFSET $2 LIMIT 1`, limit.value, limit.most-1).Scan(&again)
		if err == nil {
			return &cappedError{by: limit.of, again: again}
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
	}
	return nil
}

// dropCode forgets a code that was not sent.
func (s *store) dropCode(ctx context.Context, id string) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM notification.codes WHERE id = $1`, id); err != nil {
		return fmt.Errorf("notification: drop code: %w", err)
	}
	return nil
}

type openCode struct {
	id    string
	phone phone
	mac   []byte
	tries int // this one included
}

// tryCode counts a try of the rider's newest code and returns it. It returns
// errNoCode if that is used, too old, tried too often, or was sent to another phone
// than the rider has now.
func (s *store) tryCode(ctx context.Context, rider string) (openCode, error) {
	var o openCode
	err := s.pool.QueryRow(ctx, `
		UPDATE notification.codes k SET tries = tries + 1
		FROM notification.contacts c
		WHERE k.id = (SELECT id FROM notification.codes WHERE rider_id = $1 ORDER BY created_at DESC LIMIT 1)
		  AND k.used_at IS NULL AND k.tries < $2 AND k.created_at > now() - $3::interval
		  AND c.rider_id = k.rider_id AND c.phone = k.phone
		RETURNING k.id, k.phone, k.mac, k.tries`, rider, codeTries, codeLife).Scan(&o.id, &o.phone, &o.mac, &o.tries)
	if errors.Is(err, pgx.ErrNoRows) {
		return o, errNoCode
	}
	if err != nil {
		return o, fmt.Errorf("notification: try code: %w", err)
	}
	return o, nil
}

// verify marks the rider's phone as verified, and the code as used. It returns
// errNoCode if the rider has another phone by now, or the code was used meanwhile.
func (s *store) verify(ctx context.Context, rider string, o openCode) error {
	tag, err := s.pool.Exec(ctx, `
		WITH used AS (UPDATE notification.codes SET used_at = now() WHERE id = $1 AND used_at IS NULL RETURNING phone)
		UPDATE notification.contacts c SET verified_at = now() FROM used WHERE c.rider_id = $2 AND c.phone = used.phone`, o.id, rider)
	if err != nil {
		return fmt.Errorf("notification: verify: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errNoCode
	}
	return nil
}
