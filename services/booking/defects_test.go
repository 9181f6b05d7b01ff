package booking_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
)

func newRide(t *testing.T) (post, *ride.Store, ride.Ride) {
	t.Helper()
	p := newPost(t)
	s := ride.NewStore(p.pool, profile.Default())
	r, _, err := s.Create(t.Context(), ride.Booking{RiderID: "rita", Key: "k", Price: ride.Money{Currency: "UYU"}})
	require.NoError(t, err)
	return p, s, r
}

func TestACopyOfTheMessageTakesNoDriverAway(t *testing.T) {
	t.Parallel()
	_, s, r := newRide(t)
	_, err := s.SetDuty(t.Context(), "ana", true)
	require.NoError(t, err)
	for _, a := range []ride.Action{{Kind: ride.ActOffer, Driver: "ana", Attempt: 1}, {Kind: ride.ActAccept, Driver: "ana"}} {
		_, err := s.Do(t.Context(), r.ID, a, "test")
		require.NoError(t, err)
	}
	_, err = s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActRequeue, Attempt: 1, Reason: "no driver is free"}, "worker with a copy")
	require.ErrorIs(t, err, ride.ErrState)
}

func TestAMessageThatWaitedInTheOutboxIsNotSentTwice(t *testing.T) {
	t.Parallel()
	p, s, r := newRide(t)
	_, err := p.pool.Exec(t.Context(), `UPDATE ride.rides SET wake_at = wake_at - interval '5 min'`)
	require.NoError(t, err)
	_, err = p.pool.Exec(t.Context(), `UPDATE ride.outbox SET added_at = added_at - interval '5 min'`)
	require.NoError(t, err)
	require.Equal(t, 1, p.round(t, p.relay(p.sqs, ride.OnSent)))
	swept, err := s.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, swept.Requeued)
	var wake time.Time
	require.NoError(t, p.pool.QueryRow(t.Context(), `SELECT wake_at FROM ride.rides WHERE id = $1`, r.ID).Scan(&wake))
	require.Greater(t, time.Until(wake), 4*profile.Default().Visibility)
}

func TestNoEventIsNumberedBelowOneThatWasSeen(t *testing.T) {
	t.Parallel()
	p, s, r := newRide(t)
	tx, err := p.pool.Begin(t.Context()) // a worker's receive holds the ride's lock
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `SELECT FROM ride.rides WHERE id = $1 FOR UPDATE`, r.ID)
	require.NoError(t, err)
	sent := make(chan error, 1)
	go func() { _, err := p.relay(p.sqs, ride.OnSent).Round(t.Context()); sent <- err }()
	require.Eventually(t, func() bool {
		var n int
		err := p.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n)
		return err == nil && n > 0
	}, patience, look)
	var seen int64
	require.NoError(t, tx.QueryRow(t.Context(), `INSERT INTO ride.ride_events (ride_id, kind, at, by, attempt, data)
		VALUES ($1, 'received', now(), 'w', 1, '{}') RETURNING seq`, r.ID).Scan(&seen))
	require.NoError(t, tx.Commit(t.Context()))
	require.NoError(t, <-sent)
	later, err := s.Events(t.Context(), r.ID, seen, 10)
	require.NoError(t, err)
	require.Len(t, later, 1, "a stream that stood there is given what came after")
}
