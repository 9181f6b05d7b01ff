package dispatch

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/queue/sqsworker"
	"tandem/services/test/testenv"
)

// realRides is package ride on Postgres, with drivers ana and bo on duty, one
// ride that asks for a driver, and a handler that would offer it to them.
func realRides(t *testing.T) (*ride.Store, *handler, ride.Ride) {
	t.Helper()
	_, pool := testenv.Database(t, ride.Schemas()...)
	return realRidesOn(t, pool)
}

func realRidesOn(t *testing.T, pool *pgxpool.Pool) (*ride.Store, *handler, ride.Ride) {
	t.Helper()
	ctx := t.Context()
	store := ride.NewStore(pool, profile.Fast())

	listener := ride.NewListener(pool, slog.New(slog.DiscardHandler))
	ended := make(chan struct{})
	listening, stop := context.WithCancel(ctx)
	go func() {
		defer close(ended)
		_ = listener.Run(listening) // ends with its context
	}()
	t.Cleanup(func() { stop(); <-ended })

	for _, d := range []string{"ana", "bo"} {
		_, err := store.SetDuty(ctx, d, true)
		require.NoError(t, err)
	}

	r, _, err := store.Create(ctx, ride.Booking{
		RiderID: "rita", Key: "k1", Price: ride.Money{Currency: "UYU"},
		Pickup: ride.Place{Point: geo.Point{Lat: -34.9, Lon: -56.1}}, Dropoff: ride.Place{Point: geo.Point{Lat: -34.8, Lon: -56.1}},
	})
	require.NoError(t, err)

	nearby, database := newDependencies(time.Second)
	return store, &handler{
		nearby: nearby, postgres: database, retryWithin: time.Second,
		rides: store, finder: fakeFinder{"offduty", "ana", "bo"}, worker: "w1", noDriver: time.Second, poll: 50 * time.Millisecond,
		watch: func(id string) (<-chan struct{}, func()) {
			s := listener.Ride(id)
			return s.C, s.Close
		},
		stopping: ctx, grace: 100 * time.Millisecond, log: slog.New(slog.DiscardHandler),
	}, r
}

func messageFor(t *testing.T, r ride.Ride, receives int) sqsworker.Message {
	t.Helper()
	e, err := event.New(r.ID, event.TypeRideRequest, time.Now(), event.RideRequest{RideID: r.ID, Attempt: r.Attempt})
	require.NoError(t, err)
	body, err := json.Marshal(e)
	require.NoError(t, err)
	return sqsworker.Message{ID: "m1", Body: body, Receives: receives}
}

func handling(ctx context.Context, h *handler, m sqsworker.Message) <-chan sqsworker.Result {
	result := make(chan sqsworker.Result, 1)
	go func() { result <- h.Handle(ctx, m) }()
	return result
}

// offeredTo waits until the ride is offered to a driver.
func offeredTo(t *testing.T, s *ride.Store, id, driver string) ride.Ride {
	t.Helper()
	var r ride.Ride
	require.Eventually(t, func() bool {
		var err error
		r, err = s.Get(t.Context(), id)
		return err == nil && r.Offer != nil && r.Offer.DriverID == driver
	}, 10*time.Second, 10*time.Millisecond)
	return r
}

func kinds(t *testing.T, s *ride.Store, id string) []string {
	t.Helper()
	events, err := s.Events(t.Context(), id, 0, 100)
	require.NoError(t, err)
	var out []string
	for _, e := range events {
		out = append(out, string(e.Kind))
	}
	return out
}

func TestARefusalThenAnAcceptance(t *testing.T) {
	t.Parallel()
	store, h, r := realRides(t)
	result := handling(t.Context(), h, messageFor(t, r, 1))

	_, err := store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActRefuse, Driver: "ana", Offer: offeredTo(t, store, r.ID, "ana").Offer.ID}, "driver ana")
	require.NoError(t, err)
	_, err = store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActAccept, Driver: "bo", Offer: offeredTo(t, store, r.ID, "bo").Offer.ID}, "driver bo")
	require.NoError(t, err)

	require.Equal(t, sqsworker.Done(), <-result)
	require.Equal(t, []string{"requested", "received", "offered", "refused", "offered", "assigned"}, kinds(t, store, r.ID))
}

func TestAnotherWorkerGoesOnWhereOneDied(t *testing.T) {
	t.Parallel()
	store, h, r := realRides(t)
	dying, die := context.WithCancel(t.Context())
	result := handling(dying, h, messageFor(t, r, 1))
	first := offeredTo(t, store, r.ID, "ana")
	die()
	require.Equal(t, sqsworker.Release(), <-result)

	result = handling(t.Context(), h, messageFor(t, r, 2))
	require.Eventually(t, func() bool { return len(kinds(t, store, r.ID)) == 4 }, 10*time.Second, 10*time.Millisecond)
	now, err := store.Get(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, first.Offer.ID, now.Offer.ID, "the open offer is waited out, not made again")

	_, err = store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActAccept, Driver: "bo", Offer: offeredTo(t, store, r.ID, "bo").Offer.ID}, "driver bo")
	require.NoError(t, err)

	require.Equal(t, sqsworker.Done(), <-result)
	require.Equal(t, []string{"requested", "received", "offered", "received", "offer_expired", "offered", "assigned"}, kinds(t, store, r.ID))
}

func TestNobodyFreeIsAnotherAttempt(t *testing.T) {
	t.Parallel()
	store, h, r := realRides(t)
	h.finder = fakeFinder{"offduty"}

	require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), messageFor(t, r, 1)))
	require.Equal(t, []string{"requested", "received", "requeued"}, kinds(t, store, r.ID))
	now, err := store.Get(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, r.Attempt+1, now.Attempt)
	require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), messageFor(t, r, 2)), "the old message is dropped")
	require.Len(t, kinds(t, store, r.ID), 3)
}

// requeued returns the ride, which asks for a driver again, for the nth time.
func requeued(t *testing.T, s *ride.Store, id string, attempt int) ride.Ride {
	t.Helper()
	r, err := s.Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []any{ride.Requested, attempt}, []any{r.State, r.Attempt})
	return r
}

func TestWhoRefusedIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	store, h, r := realRides(t)
	h.finder = fakeFinder{"ana", "bo", "cy"} // cy is off duty

	result := handling(t.Context(), h, messageFor(t, r, 1))
	_, err := store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActRefuse, Driver: "ana", Offer: offeredTo(t, store, r.ID, "ana").Offer.ID}, "driver ana")
	require.NoError(t, err)
	offeredTo(t, store, r.ID, "bo") // who lets it pass
	require.Equal(t, sqsworker.Done(), <-result)
	r = requeued(t, store, r.ID, 2)

	_, err = store.SetDuty(t.Context(), "cy", true)
	require.NoError(t, err)
	result = handling(t.Context(), h, messageFor(t, r, 1))
	_, err = store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActRefuse, Driver: "cy", Offer: offeredTo(t, store, r.ID, "cy").Offer.ID}, "driver cy")
	require.NoError(t, err, "cy is farther away than bo, and was not asked before")
	offeredTo(t, store, r.ID, "bo") // nobody else is left, and bo lets it pass again
	require.Equal(t, sqsworker.Done(), <-result)
	r = requeued(t, store, r.ID, 3)

	result = handling(t.Context(), h, messageFor(t, r, 1))
	_, err = store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActAccept, Driver: "bo", Offer: offeredTo(t, store, r.ID, "bo").Offer.ID}, "driver bo")
	require.NoError(t, err)
	require.Equal(t, sqsworker.Done(), <-result)
}

func TestTheRideThatWaitsLongestGoesFirst(t *testing.T) {
	t.Parallel()
	store, h, older := realRides(t)
	h.finder = fakeFinder{}
	require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), messageFor(t, older, 1)))
	older = requeued(t, store, older.ID, 2) // its message is on the queue, delayed

	newer, _, err := store.Create(t.Context(), ride.Booking{RiderID: "rob", Key: "k2", Price: older.Price, Pickup: older.Pickup, Dropoff: older.Dropoff})
	require.NoError(t, err)
	h.finder = fakeFinder{"ana"}
	require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), messageFor(t, newer, 1)), "without waiting for ana's answer")
	require.Equal(t, []string{"requested", "received", "requeued"}, kinds(t, store, newer.ID), "ana is asked for the older ride")

	result := handling(t.Context(), h, messageFor(t, older, 1))
	_, err = store.Do(t.Context(), older.ID, ride.Action{Kind: ride.ActAccept, Driver: "ana", Offer: offeredTo(t, store, older.ID, "ana").Offer.ID}, "driver ana")
	require.NoError(t, err)
	require.Equal(t, sqsworker.Done(), <-result)
	require.ElementsMatch(t, []string{"requested", "received", "requeued", "offered", "assigned", "received"}, kinds(t, store, older.ID), "one offer")
}

// The worker of another ride does not offer a ride to who has refused it either.
func TestWhoRefusedIsNotAskedForTheRideThatWaits(t *testing.T) {
	t.Parallel()
	store, h, older := realRides(t)
	h.finder = fakeFinder{"ana"}
	result := handling(t.Context(), h, messageFor(t, older, 1))
	_, err := store.Do(t.Context(), older.ID, ride.Action{Kind: ride.ActRefuse, Driver: "ana", Offer: offeredTo(t, store, older.ID, "ana").Offer.ID}, "driver ana")
	require.NoError(t, err)
	require.Equal(t, sqsworker.Done(), <-result)
	older = requeued(t, store, older.ID, 2)

	newer, _, err := store.Create(t.Context(), ride.Booking{RiderID: "rob", Key: "k2", Price: older.Price, Pickup: older.Pickup, Dropoff: older.Dropoff})
	require.NoError(t, err)
	result = handling(t.Context(), h, messageFor(t, newer, 1))
	_, err = store.Do(t.Context(), newer.ID, ride.Action{Kind: ride.ActAccept, Driver: "ana", Offer: offeredTo(t, store, newer.ID, "ana").Offer.ID}, "driver ana")
	require.NoError(t, err)
	require.Equal(t, sqsworker.Done(), <-result)
	require.Equal(t, []string{"requested", "received", "offered", "refused", "requeued"}, kinds(t, store, older.ID))
}
