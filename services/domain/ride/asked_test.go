package ride_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/geo"
	"tandem/services/domain/ride"
)

func TestWhoWasAskedBeforeAndWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	onDuty(t, s, "ana", "bo", "cy", "dan")
	r, other := create(t, s, "rita", "k1"), create(t, s, "rita", "k2")
	do := func(a ride.Action) {
		t.Helper()
		var err error
		r, err = s.Do(t.Context(), r.ID, a, "test")
		require.NoError(t, err)
	}
	asked := func() ride.Asked {
		t.Helper()
		a, err := s.Asked(t.Context(), other.ID, r.ID)
		require.NoError(t, err)
		require.Empty(t, a[other.ID])
		return a[r.ID]
	}

	require.Equal(t, ride.Asked{}, asked())

	do(ride.Action{Kind: ride.ActOffer, Driver: "ana"})
	do(ride.Action{Kind: ride.ActRefuse})
	do(ride.Action{Kind: ride.ActOffer, Driver: "bo"})
	_, err := pool.Exec(t.Context(), `UPDATE ride.offers SET expires_at = now() - interval '1 second' WHERE state = 'open'`)
	require.NoError(t, err)
	do(ride.Action{Kind: ride.ActExpireOffer})
	require.ElementsMatch(t, []string{"ana", "bo"}, asked().Not, "each is asked once in an attempt")
	require.Empty(t, asked().Last)

	do(ride.Action{Kind: ride.ActOffer, Driver: "cy"})
	do(ride.Action{Kind: ride.ActRequeue, Reason: "the worker shuts down"})
	require.Equal(t, ride.Asked{Not: []string{"ana"}, Last: []string{"bo"}}, asked(), "cy's offer was withdrawn")

	do(ride.Action{Kind: ride.ActOffer, Driver: "dan"})
	do(ride.Action{Kind: ride.ActAccept, Driver: "dan"})
	do(ride.Action{Kind: ride.ActRequeue, LoseDriver: true})
	require.Equal(t, []string{"ana"}, asked().Not)
	require.ElementsMatch(t, []string{"bo", "dan"}, asked().Last)
}

func TestTheLongestWaitingRidesNearby(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	// book returns a ride that was looked at and found nobody, so many seconds ago.
	book := func(ago time.Duration, pickup geo.Point) ride.Ride {
		t.Helper()
		b := booking("rita", time.Now().String())
		b.Pickup.Point = pickup
		r, _, err := s.Create(t.Context(), b)
		require.NoError(t, err)
		r, err = s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActRequeue}, "test")
		require.NoError(t, err)
		_, err = pool.Exec(t.Context(), `UPDATE ride.rides SET requested_at = now() - $2::interval WHERE id = $1`, r.ID, ago)
		require.NoError(t, err)
		r, err = s.Get(t.Context(), r.ID)
		require.NoError(t, err)
		return r
	}
	east, west := geo.Point{Lat: -17, Lon: 179.99}, geo.Point{Lat: -17, Lon: -179.99} // 4 km apart

	oldest, older, newer := book(3*time.Minute, west), book(2*time.Minute, east), book(time.Minute, east)
	book(time.Second, east)                                 // newer than the asker
	book(4*time.Minute, geo.Point{Lat: -17.1, Lon: 179.99}) // 11 km away
	expired := book(4*time.Minute, east)
	_, err := pool.Exec(t.Context(), `UPDATE ride.rides SET expires_at = now() WHERE id = $1`, expired.ID)
	require.NoError(t, err)
	ended := book(4*time.Minute, east)
	_, err = s.Do(t.Context(), ended.ID, ride.Action{Kind: ride.ActCancel}, "test")
	require.NoError(t, err)
	b := booking("rita", "in the queue")
	b.Pickup.Point = east
	unseen, _, err := s.Create(t.Context(), b)
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), `UPDATE ride.rides SET requested_at = now() - interval '4 minutes' WHERE id = $1`, unseen.ID)
	require.NoError(t, err)

	asker := book(30*time.Second, east)
	ids := func(limit int) (out []string) {
		waiting, err := s.Waiting(t.Context(), asker, 6000, limit)
		require.NoError(t, err)
		for _, r := range waiting {
			out = append(out, r.ID)
		}
		return out
	}
	require.Equal(t, []string{oldest.ID, older.ID, newer.ID}, ids(10))
	require.Equal(t, []string{oldest.ID}, ids(1))
}
