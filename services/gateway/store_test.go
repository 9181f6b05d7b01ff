package gateway

import (
	"testing"

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
