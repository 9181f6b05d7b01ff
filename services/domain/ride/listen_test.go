package ride_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/ride"
)

func TestListenersHearOfTheirRideAndDriver(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	l := ride.NewListener(pool, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()

	r := create(t, s, "p1", "k")
	mine, others := l.Ride(r.ID), l.Drivers(func(d string) bool { return d == "d1" })
	defer mine.Close()
	defer others.Close()

	hears := func(sub *ride.Subscription) {
		t.Helper()
		select {
		case <-sub.C:
		case <-time.After(10 * time.Second):
			t.Fatal("nothing was heard")
		}
	}

	require.Eventually(t, func() bool { // until the listening has begun
		_, err := s.SetDuty(t.Context(), "d1", true)
		return err == nil && len(others.C) > 0
	}, 10*time.Second, 20*time.Millisecond)
	hears(others)
	_, _ = others.Take()

	_, err := s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActOffer, Driver: "d1"}, "test")
	require.NoError(t, err)
	hears(mine)
	require.Eventually(t, func() bool {
		drivers, _ := others.Take()
		return len(drivers) == 1 && drivers[0] == "d1"
	}, 10*time.Second, 5*time.Millisecond)

	cancel()
	require.NoError(t, <-ended)
}
