package gateway

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
	"tandem/services/test/testenv"
)

// A secret whose time is over, or that was given back, speaks for nobody, whether
// or not its row has been deleted yet.
func TestWhatHasExpiredOpensNothing(t *testing.T) {
	_, pool := testenv.Database(t, Schema())
	s, ctx := store{pool}, t.Context()
	rider := auth.Identity{Subject: "rider-1", Role: auth.Rider}
	expire := func(table string) {
		_, err := pool.Exec(ctx, `UPDATE account.`+table+` SET expires_at = now() - interval '1 ms'`)
		require.NoError(t, err)
	}

	secret, err := s.newSession(ctx, cookieSession, rider)
	require.NoError(t, err)
	id, err := s.session(ctx, cookieSession, secret)
	require.NoError(t, err)
	require.Equal(t, rider, id)
	expire("sessions")
	_, err = s.session(ctx, cookieSession, secret)
	require.ErrorIs(t, err, errNoSession)

	ticket, err := s.newTicket(ctx, rider)
	require.NoError(t, err)
	expire("socket_tickets")
	_, err = s.useTicket(ctx, ticket)
	require.ErrorIs(t, err, errNoSession)

	ended, err := s.newSession(ctx, cookieSession, rider)
	require.NoError(t, err)
	require.NoError(t, s.endSessions(ctx, rider))
	_, err = s.session(ctx, cookieSession, ended)
	require.ErrorIs(t, err, errNoSession)

	other, err := s.newSession(ctx, cookieSession, rider)
	require.NoError(t, err)
	require.NoError(t, s.prune(ctx))
	_, err = s.session(ctx, cookieSession, other)
	require.NoError(t, err, "what has not expired stays")
	var left int
	require.NoError(t, pool.QueryRow(ctx, `SELECT count(*) FROM account.sessions`).Scan(&left))
	require.Equal(t, 1, left)
}

// Guests come by the click, and most do not come again.
func TestAccountsThatNobodySignsInToAreDeleted(t *testing.T) {
	_, pool := testenv.Database(t, Schema())
	s, ctx := store{pool}, t.Context()
	signIn := func(subject string) string {
		secret, err := s.newSession(ctx, cookieSession, auth.Identity{Subject: subject, Role: auth.Rider})
		require.NoError(t, err)
		return secret
	}

	signIn("gone")
	signIn("back")
	signIn("yesterday")
	open := signIn("open")
	_, err := pool.Exec(ctx, `UPDATE account.accounts SET signed_in_at = now() - interval '32 days' WHERE subject <> 'yesterday'`)
	require.NoError(t, err)
	_, err = pool.Exec(ctx, `UPDATE account.sessions SET expires_at = now() - interval '1 day' WHERE subject <> 'open'`)
	require.NoError(t, err)
	// An operator's program asks for tokens of this one: it has no session.
	require.NoError(t, s.ensureAccount(ctx, auth.Identity{Subject: "back", Role: auth.Rider}))

	require.NoError(t, s.prune(ctx))
	rows, err := pool.Query(ctx, `SELECT subject FROM account.accounts ORDER BY subject`)
	require.NoError(t, err)
	left, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{"back", "open", "yesterday"}, left)
	_, err = s.session(ctx, cookieSession, open)
	require.NoError(t, err)
}
