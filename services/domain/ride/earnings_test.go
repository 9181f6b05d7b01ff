package ride_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/ride"
)

func TestEarningsAreOfTodaysCompletedRidesOfThisDriver(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	none, err := s.Earnings(t.Context(), "ana")
	require.NoError(t, err)
	require.Equal(t, []any{0, ride.Money{Currency: "UYU"}}, []any{none.Rides, none.Total})
	require.WithinDuration(t, time.Now(), none.At, time.Minute)

	// The city's day, not UTC's: it begins at 03:00 UTC.
	require.Equal(t, 3, none.Since.UTC().Hour())
	require.Less(t, none.At.Sub(none.Since), 24*time.Hour)

	ends := func(key, driver, state string, at time.Time) {
		r := create(t, s, "rita-"+key, key)
		_, err := pool.Exec(t.Context(), `UPDATE ride.rides SET driver_id = $2, state = $3, ended_at = $4, wake_at = NULL WHERE id = $1`, r.ID, driver, state, at)
		require.NoError(t, err)
	}
	ends("first", "ana", "completed", none.Since)
	ends("second", "ana", "completed", none.At)
	ends("yesterday", "ana", "completed", none.Since.Add(-time.Second))
	ends("cancelled", "ana", "cancelled", none.At)
	ends("of another", "bo", "completed", none.At)

	now, err := s.Earnings(t.Context(), "ana")
	require.NoError(t, err)
	require.Equal(t, []any{2, ride.Money{AmountMinor: 2 * 18_500, Currency: "UYU"}}, []any{now.Rides, now.Total})
}
