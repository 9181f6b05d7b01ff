package ride_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/ride"
)

// A ride leaves by the time of its end, with all that belongs to it; one that has not
// ended stays, however old it is.
func TestEndedRidesLeaveByTheirAge(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	cancel := func(r ride.Ride) {
		_, err := s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActCancel}, "test")
		require.NoError(t, err)
	}
	old, young, open := create(t, s, "rita", "old"), create(t, s, "rita", "young"), create(t, s, "rita", "open")
	cancel(old)
	cancel(young)
	_, err := pool.Exec(t.Context(), `UPDATE ride.rides SET requested_at = requested_at - interval '100 days',
		ended_at = ended_at - CASE WHEN id = $1 THEN interval '91 days' ELSE interval '89 days' END`, old.ID)
	require.NoError(t, err)

	const keep = 90 * 24 * time.Hour
	n, err := s.RemoveEnded(t.Context(), keep, 10)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	_, err = s.Get(t.Context(), old.ID)
	require.ErrorIs(t, err, ride.ErrNotFound)
	require.Empty(t, kindsOf(t, s, old.ID))
	for _, r := range []ride.Ride{young, open} {
		require.NotEmpty(t, kindsOf(t, s, r.ID))
	}

	again := create(t, s, "rita", "old")
	require.NotEqual(t, old.ID, again.ID, "its key is free")

	cancel(again)
	n, err = s.RemoveEnded(t.Context(), 0, 1)
	require.NoError(t, err)
	require.EqualValues(t, 1, n, "not more than the limit")
}
