package ride_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/ride"
)

// However many bookings of one rider come at the same time, no more rides than
// MaxOpen are open.
func TestARiderHasSoManyRidesOpen(t *testing.T) {
	s, pool := newStore(t)
	const most = 3
	book := func(rider, key string) (ride.Ride, bool, error) {
		b := booking(rider, key)
		b.MaxOpen = most
		return s.Create(t.Context(), b)
	}

	var wg sync.WaitGroup
	var mu sync.Mutex
	var booked, keys []string
	for n := range 20 {
		wg.Go(func() {
			key := fmt.Sprint("k", n)
			r, _, err := book("rita", key)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				booked, keys = append(booked, r.ID), append(keys, key)
				return
			}
			var many *ride.TooManyOpenError
			if !errors.As(err, &many) {
				t.Errorf("another error: %v", err)
				return
			}
			if many.Ends <= 0 || many.Ends > 10*time.Minute {
				t.Errorf("a ride without a driver expires before %v", many.Ends)
			}
		})
	}
	wg.Wait()
	require.Len(t, booked, most)
	var open, unsent int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM ride.rides`).Scan(&open))
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM ride.outbox`).Scan(&unsent))
	require.Equal(t, most, open, "what was refused has left nothing")
	require.Equal(t, most, unsent)

	again, replayed, err := book("rita", keys[0])
	require.NoError(t, err, "a try of a booking that is there is no new one")
	require.True(t, replayed)
	require.Equal(t, booked[0], again.ID)
	_, _, err = book("otto", "k1")
	require.NoError(t, err, "another rider")
	create(t, s, "rita", "without a bound")

	for _, id := range booked[:2] {
		_, err = s.Do(t.Context(), id, ride.Action{Kind: ride.ActCancel}, "rider rita")
		require.NoError(t, err)
	}
	_, _, err = book("rita", "next")
	require.NoError(t, err, "one has ended")
}
