package ride_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
)

// A worker that died left an offer, and its message is a dead letter: the driver must
// not wait until the ride expires.
func TestADeadLettersOfferKeepsNoDriver(t *testing.T) {
	t.Parallel()
	_, pool := newStore(t)
	times := profile.Fast()
	times.Offer = time.Millisecond
	s := ride.NewStore(pool, times)
	onDuty(t, s, "d1")
	r := create(t, s, "p1", "k")
	_, err := s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActOffer, Driver: "d1"}, "worker")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		var late bool
		err := pool.QueryRow(t.Context(), `SELECT expires_at < clock_timestamp() FROM ride.offers`).Scan(&late)
		return err == nil && late
	}, 5*time.Second, time.Millisecond)

	require.NoError(t, s.DeadLettered(t.Context(), r.ID, 1, "received 5 times without a result", "worker"))
	free, err := s.FreeDrivers(t.Context(), []string{"d1"})
	require.NoError(t, err)
	require.Equal(t, []string{"d1"}, free)
	require.WithinDuration(t, r.ExpiresAt, wakeAt(t, pool, r.ID), 0, "a person has until then to redrive it")
	require.Equal(t, []ride.EventKind{ride.EventRequested, ride.EventOffered, ride.EventOfferExpired, ride.EventDeadLettered}, kindsOf(t, s, r.ID))
}

// A driver who may still accept is not disturbed, and the sweeper looks at the ride soon
// after the deadline.
func TestADeadLettersOpenOfferStays(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	onDuty(t, s, "d1")
	r := create(t, s, "p1", "k")
	_, err := s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActOffer, Driver: "d1"}, "worker")
	require.NoError(t, err)
	before := wakeAt(t, pool, r.ID)

	require.NoError(t, s.DeadLettered(t.Context(), r.ID, 1, "poison", "worker"))
	require.Equal(t, before, wakeAt(t, pool, r.ID))
	require.True(t, before.Before(r.ExpiresAt))
	r, err = s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActAccept, Driver: "d1"}, "driver d1")
	require.NoError(t, err)
	require.Equal(t, ride.Assigned, r.State)
}

// A dead letter that was redriven, and is then lost with the queue, is missed like any
// other request, and not only when its ride expires.
func TestARedrivenRequestIsMissed(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	r := create(t, s, "p1", "k")
	_, err := pool.Exec(t.Context(), `UPDATE ride.outbox SET sent_at = now()`)
	require.NoError(t, err)
	require.NoError(t, s.DeadLettered(t.Context(), r.ID, 1, "poison", "worker"))

	_, err = s.Received(t.Context(), r.ID, 1, ride.Receipt{MessageID: "m", Receives: 1})
	require.NoError(t, err)
	require.True(t, wakeAt(t, pool, r.ID).Before(r.ExpiresAt))

	_, err = pool.Exec(t.Context(), `UPDATE ride.rides SET wake_at = now() - interval '1 second'`)
	require.NoError(t, err)
	swept, err := s.Sweep(t.Context(), emptyQueue)
	require.NoError(t, err)
	require.Equal(t, ride.Swept{Requeued: 1}, swept)
}

// What a restored database has lost is not dropped without a word.
func TestAMessageAheadOfItsRide(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	r := create(t, s, "p1", "k")
	before := wakeAt(t, pool, r.ID)

	_, err := s.Received(t.Context(), r.ID, 2, ride.Receipt{MessageID: "m", Receives: 1})
	require.ErrorIs(t, err, ride.ErrAhead)
	require.NotErrorIs(t, err, ride.ErrAttempt)
	require.NoError(t, s.DeadLettered(t.Context(), r.ID, 2, err.Error(), "worker"))
	require.Equal(t, before, wakeAt(t, pool, r.ID), "the ride's own request is looked after as before")
}

// A request that only waits does not look like a dead letter, when its ride's end is near.
func TestARequestThatWaitsUntilTheEndIsNoDeadLetter(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	r := create(t, s, "p1", "k")
	_, err := pool.Exec(t.Context(), `UPDATE ride.outbox SET sent_at = now()`)
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), `UPDATE ride.rides SET wake_at = now() - interval '1 second', expires_at = now() + interval '10 seconds'`)
	require.NoError(t, err)

	swept, err := s.Sweep(t.Context(), func(context.Context) (int, error) { return 1, nil })
	require.NoError(t, err)
	require.Equal(t, ride.Swept{}, swept)
	now, err := s.Get(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, now.ExpiresAt.Add(time.Millisecond), wakeAt(t, pool, r.ID))
}

// A dead letter is on no queue, and is not missed there.
func TestADeadLetterIsNotMissedOnTheQueue(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	dead, waits := create(t, s, "p1", "k"), create(t, s, "p2", "k")
	_, err := pool.Exec(t.Context(), `UPDATE ride.outbox SET sent_at = now()`)
	require.NoError(t, err)
	require.NoError(t, s.DeadLettered(t.Context(), dead.ID, 1, "poison", "worker"))
	_, err = pool.Exec(t.Context(), `UPDATE ride.rides SET wake_at = now() - interval '1 second' WHERE id = $1`, waits.ID)
	require.NoError(t, err)

	swept, err := s.Sweep(t.Context(), func(context.Context) (int, error) { return 1, nil })
	require.NoError(t, err)
	require.Zero(t, swept.Requeued, "the other one's request only waits")
}
