package ride_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/ride"
)

func TestTheSweeperMovesWhatNothingElseDoes(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	ctx := t.Context()
	onDuty(t, s, "d1", "d2", "d3")
	overdue := func(id string) {
		_, err := pool.Exec(ctx, `UPDATE ride.rides SET wake_at = now() - interval '1 second' WHERE id = $1`, id)
		require.NoError(t, err)
	}
	sent := func(id string) {
		_, err := pool.Exec(ctx, `UPDATE ride.outbox SET sent_at = now() WHERE key = $1`, id)
		require.NoError(t, err)
	}
	step := func(id string, actions ...ride.Action) {
		for _, a := range actions {
			_, err := s.Do(ctx, id, a, "test")
			require.NoError(t, err)
		}
	}

	lost := create(t, s, "p1", "k") // its message was lost with the queue
	sent(lost.ID)
	overdue(lost.ID)

	waiting := create(t, s, "p2", "k") // its message has not been sent yet
	overdue(waiting.ID)

	expired := create(t, s, "p3", "k")
	sent(expired.ID)
	overdue(expired.ID)
	_, err := pool.Exec(ctx, `UPDATE ride.rides SET expires_at = now() - interval '1 second' WHERE id = $1`, expired.ID)
	require.NoError(t, err)

	vanished := create(t, s, "p4", "k") // its driver vanished
	step(vanished.ID, ride.Action{Kind: ride.ActOffer, Driver: "d1"}, ride.Action{Kind: ride.ActAccept})
	sent(vanished.ID)
	overdue(vanished.ID)

	stuck := create(t, s, "p5", "k")
	step(stuck.ID, ride.Action{Kind: ride.ActOffer, Driver: "d2"}, ride.Action{Kind: ride.ActAccept}, ride.Action{Kind: ride.ActArrive}, ride.Action{Kind: ride.ActPickUp})
	sent(stuck.ID)
	overdue(stuck.ID)

	fine := create(t, s, "p6", "k")
	sent(fine.ID)

	swept, err := s.Sweep(ctx)
	require.NoError(t, err)
	require.Equal(t, ride.Swept{Requeued: 2, Closed: 1, Stuck: []string{stuck.ID}}, swept)

	state := func(id string) (ride.State, int) {
		r, err := s.Get(ctx, id)
		require.NoError(t, err)
		return r.State, r.Attempt
	}
	for _, tc := range []struct {
		id      string
		state   ride.State
		attempt int
	}{
		{lost.ID, ride.Requested, 2}, {waiting.ID, ride.Requested, 1}, {expired.ID, ride.Unfulfilled, 1},
		{vanished.ID, ride.Requested, 2}, {stuck.ID, ride.PickedUp, 1}, {fine.ID, ride.Requested, 1},
	} {
		st, attempt := state(tc.id)
		require.Equal(t, tc.state, st)
		require.Equal(t, tc.attempt, attempt)
	}

	free, err := s.FreeDrivers(ctx, []string{"d1", "d2", "d3"})
	require.NoError(t, err)
	require.Equal(t, []string{"d1", "d3"}, free, "the driver that was lost is free again")

	again, err := s.Sweep(ctx)
	require.NoError(t, err)
	require.Equal(t, ride.Swept{}, again, "what was moved is not moved again")
}
