package gateway

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/postgres"
	"tandem/services/internal/problem"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema returns the schema account, which this package owns, with its
// migrations.
func Schema() postgres.Schema { return postgres.Embedded("account", migrations) }

const (
	sessionLife = 30 * 24 * time.Hour
	ticketLife  = 30 * time.Second
	// accountKept is for how long an account is kept that nobody signs in to: by then
	// its last session has ended. Rides and points have their people's names, not the
	// account, and stay.
	accountKept = sessionLife + 24*time.Hour
)

// errNoSession is returned for a secret that is unknown, expired or used up.
var errNoSession = errors.New("gateway: no such session")

func checkSubject(s string) error {
	if !event.ValidID(s) {
		return problem.Field("subject", "An id has 1 to 64 of the characters A-Z a-z 0-9 _ and -.")
	}
	return nil
}

// store is all SQL on the schema account.
type store struct{ pool *pgxpool.Pool }

// ensureAccount creates the account if it does not exist yet, and notes that
// somebody signs in to it: from then on prune leaves it alone.
func (s store) ensureAccount(ctx context.Context, id auth.Identity) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO account.accounts (role, subject) VALUES ($1, $2)
		ON CONFLICT (role, subject) DO UPDATE SET signed_in_at = now()`, id.Role, id.Subject)
	if err != nil {
		return fmt.Errorf("create account: %w", err)
	}
	return nil
}

// A cookie's secret and a refresh token's do not stand in for each other: what a
// browser keeps from pages and sends by itself is no program's, and the reverse.
const (
	cookieSession  = "cookie"
	refreshSession = "refresh"
)

// newSession creates a session, and its account if needed. The secret is returned
// this once and kept as a hash only, so that whoever reads the table cannot sign in.
func (s store) newSession(ctx context.Context, kind string, id auth.Identity) (secret string, err error) {
	if err := s.ensureAccount(ctx, id); err != nil {
		return "", err
	}

	secret, hash := newSecret()
	_, err = s.pool.Exec(ctx, `INSERT INTO account.sessions (secret_hash, role, subject, expires_at, kind)
		VALUES ($1, $2, $3, now() + $4, $5)`, hash, id.Role, id.Subject, sessionLife, kind)
	if err != nil {
		return "", fmt.Errorf("create session: %w", err)
	}
	return secret, nil
}

// session returns whom a secret of that kind speaks for, or errNoSession.
func (s store) session(ctx context.Context, kind, secret string) (auth.Identity, error) {
	return s.identity(ctx, `SELECT role, subject FROM account.sessions WHERE kind = $2 AND secret_hash = $1 AND expires_at > now()`, secret, kind)
}

// endSessions ends everything by which a person is signed in: all cookies, refresh
// tokens and unused tickets. What other gateways have open of the person ends by the
// row in sign_outs, which they look for.
func (s store) endSessions(ctx context.Context, id auth.Identity) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		for _, q := range []string{
			`DELETE FROM account.sessions WHERE role = $1 AND subject = $2`,
			`DELETE FROM account.socket_tickets WHERE role = $1 AND subject = $2`,
			`INSERT INTO account.sign_outs (role, subject) VALUES ($1, $2)`,
		} {
			if _, err := tx.Exec(ctx, q, id.Role, id.Subject); err != nil {
				return fmt.Errorf("end sessions: %w", err)
			}
		}
		return nil
	})
}

// signOut is a row of sign_outs.
type signOut struct {
	ID int64
	auth.Identity
}

// signOuts returns who has signed out within the last while, anywhere.
func (s store) signOuts(ctx context.Context, within time.Duration) ([]signOut, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, role, subject FROM account.sign_outs WHERE at > now() - $1::interval`, within)
	if err != nil {
		return nil, fmt.Errorf("look for sign-outs: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o signOut, err error) {
		return o, row.Scan(&o.ID, &o.Role, &o.Subject)
	})
	if err != nil {
		return nil, fmt.Errorf("look for sign-outs: %w", err)
	}
	return out, nil
}

// newTicket creates a socket ticket, which works once within 30 seconds.
func (s store) newTicket(ctx context.Context, id auth.Identity) (ticket string, err error) {
	ticket, hash := newSecret()
	_, err = s.pool.Exec(ctx, `INSERT INTO account.socket_tickets (ticket_hash, role, subject, expires_at)
		VALUES ($1, $2, $3, now() + $4)`, hash, id.Role, id.Subject, ticketLife)
	if err != nil {
		return "", fmt.Errorf("create socket ticket: %w", err)
	}
	return ticket, nil
}

// useTicket returns whom a ticket is for and uses it up, or errNoSession.
func (s store) useTicket(ctx context.Context, ticket string) (auth.Identity, error) {
	// One statement deletes and answers, so that of two sockets with one ticket
	// only one is opened, also at two gateways.
	return s.identity(ctx, `WITH used AS (DELETE FROM account.socket_tickets WHERE ticket_hash = $1 RETURNING role, subject, expires_at)
		SELECT role, subject FROM used WHERE expires_at > now()`, ticket)
}

// prune deletes what has expired, and accounts that nobody signs in to any more.
func (s store) prune(ctx context.Context) error {
	for _, q := range []string{
		`DELETE FROM account.sessions WHERE expires_at < now()`,
		`DELETE FROM account.socket_tickets WHERE expires_at < now()`,
		`DELETE FROM account.sign_outs WHERE at < now() - interval '1 day'`,
	} {
		if _, err := s.pool.Exec(ctx, q); err != nil {
			return fmt.Errorf("prune sessions: %w", err)
		}
	}

	// An account that has a session stays, whatever the times say: to delete it would
	// sign its person out.
	_, err := s.pool.Exec(ctx, `DELETE FROM account.accounts a WHERE a.signed_in_at < now() - $1::interval
		AND NOT EXISTS (SELECT FROM account.sessions s WHERE s.role = a.role AND s.subject = a.subject)`, accountKept)
	if err != nil {
		return fmt.Errorf("prune accounts: %w", err)
	}
	return nil
}

func (s store) identity(ctx context.Context, query, secret string, args ...any) (auth.Identity, error) {
	var id auth.Identity

	err := s.pool.QueryRow(ctx, query, append([]any{hashSecret(secret)}, args...)...).Scan(&id.Role, &id.Subject)
	if errors.Is(err, pgx.ErrNoRows) {
		return id, errNoSession
	}
	if err != nil {
		return id, fmt.Errorf("look up session: %w", err)
	}
	return id, nil
}

func newSecret() (secret string, hash []byte) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails

	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, hashSecret(secret)
}

func hashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
