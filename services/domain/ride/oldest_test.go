package ride_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/ride"
)

// The request that waits longest is the oldest that a worker could have taken and none
// has: neither one that is delayed, nor one that was received.
func TestTheOldestRequestThatWaits(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	oldest := func() *time.Time {
		c, err := s.Counts(t.Context())
		require.NoError(t, err)
		return c.OldestWaiting
	}
	queued := func(id string, ago, delay time.Duration) {
		_, err := pool.Exec(t.Context(), `INSERT INTO ride.ride_events (ride_id, kind, at, by, attempt, data)
			VALUES ($1, 'queued', clock_timestamp() - $2::interval, 'relay', 1, jsonb_build_object('delay_s', $3::float8))`, id, ago, delay.Seconds())
		require.NoError(t, err)
	}

	first, second, third := create(t, s, "r1", "k"), create(t, s, "r2", "k"), create(t, s, "r3", "k")
	require.Nil(t, oldest(), "none was sent yet")

	queued(first.ID, time.Minute, 20*time.Second)
	queued(second.ID, 30*time.Second, 0)
	queued(third.ID, 2*time.Minute, time.Hour)
	require.InDelta(t, 40, time.Since(*oldest()).Seconds(), 2)

	_, err := s.Received(t.Context(), first.ID, 1, ride.Receipt{MessageID: "m", Worker: "w", Receives: 1})
	require.NoError(t, err)
	require.InDelta(t, 30, time.Since(*oldest()).Seconds(), 2)

	_, err = s.Do(t.Context(), second.ID, ride.Action{Kind: ride.ActCancel}, "rider")
	require.NoError(t, err)
	require.Nil(t, oldest(), "the third is not due")
}
