package ride_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
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

	swept, err := s.Sweep(ctx, emptyQueue)
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

	again, err := s.Sweep(ctx, emptyQueue)
	require.NoError(t, err)
	require.Equal(t, ride.Swept{}, again, "what was moved is not moved again")
}

func TestARidePastItsEndIsClosedWhileItsRequestWaits(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	r := create(t, s, "p1", "k") // its request is in the outbox
	_, err := pool.Exec(t.Context(), `UPDATE ride.rides SET wake_at = now() - interval '1 second', expires_at = now() - interval '1 second'`)
	require.NoError(t, err)

	swept, err := s.Sweep(t.Context(), emptyQueue)
	require.NoError(t, err)
	require.Equal(t, ride.Swept{Closed: 1}, swept)
	r, err = s.Get(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, ride.Unfulfilled, r.State)
}

func TestARideThatCannotBeMovedHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	ctx := t.Context()
	stuck := create(t, s, "p0", "k")
	_, err := pool.Exec(ctx, `UPDATE ride.rides SET attempt = 2147483647 WHERE id = $1`, stuck.ID) // no attempt follows
	require.NoError(t, err)
	for i := range 3 {
		create(t, s, fmt.Sprint("p", i+1), "k")
	}
	_, err = pool.Exec(ctx, `UPDATE ride.outbox SET sent_at = now()`)
	require.NoError(t, err)
	_, err = pool.Exec(ctx, `UPDATE ride.rides SET wake_at = now() - CASE id WHEN $1 THEN interval '1 hour' ELSE interval '1 second' END`, stuck.ID)
	require.NoError(t, err)

	swept, err := s.Sweep(ctx, emptyQueue)
	require.ErrorContains(t, err, stuck.ID)
	require.Equal(t, 3, swept.Requeued)

	swept, err = s.Sweep(ctx, emptyQueue)
	require.NoError(t, err, "it is put off")
	require.Zero(t, swept)
}

// Driver after driver accepts and vanishes.
func TestARideDoesNotLookForDriversForEver(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	ctx, times := t.Context(), profile.Fast()
	r := create(t, s, "p1", "k")
	age := func(d time.Duration) { // all of the ride's times lie further back
		_, err := pool.Exec(ctx, `UPDATE ride.rides SET requested_at = requested_at - $1::interval, expires_at = expires_at - $1::interval, wake_at = wake_at - $1::interval`, d)
		require.NoError(t, err)
		_, err = pool.Exec(ctx, `UPDATE ride.outbox SET sent_at = now()`)
		require.NoError(t, err)
	}

	drivers := 0
	for r.ExpiresAt.After(time.Now()) {
		driver := fmt.Sprint("d", drivers)
		onDuty(t, s, driver)
		for _, a := range []ride.Action{{Kind: ride.ActOffer, Driver: driver}, {Kind: ride.ActAccept}} {
			_, err := s.Do(ctx, r.ID, a, "test")
			require.NoError(t, err)
		}
		drivers++
		require.LessOrEqual(t, time.Duration(drivers-1)*times.ArriveWithin, times.LifeWithin, "a driver is still looked for")

		age(times.ArriveWithin + time.Second)
		_, err := s.Sweep(ctx, emptyQueue)
		require.NoError(t, err)
		r, err = s.Get(ctx, r.ID)
		require.NoError(t, err)
		require.Equal(t, ride.Requested, r.State)
	}

	age(times.ArriveWithin)
	_, err := s.Sweep(ctx, emptyQueue)
	require.NoError(t, err)
	r, err = s.Get(ctx, r.ID)
	require.NoError(t, err)
	require.Equal(t, ride.Unfulfilled, r.State)
	require.Greater(t, drivers, 3)
}

func TestTheDatabasesClockDecidesThatARideIsPastItsEnd(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	r := create(t, s, "p1", "k")
	_, err := s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActGiveUp, Attempt: 1}, "a worker whose clock is ahead")
	require.ErrorIs(t, err, ride.ErrState)
}

// emptyQueue has lost everything.
func emptyQueue(context.Context) (int, error) { return 0, nil }

func TestARequestThatOnlyWaitsIsNotSentAgain(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	ctx := t.Context()
	for i := range 20 {
		create(t, s, fmt.Sprint("p", i), "k")
	}
	onDuty(t, s, "d1")
	asked := create(t, s, "asked", "k")
	_, err := s.Do(ctx, asked.ID, ride.Action{Kind: ride.ActOffer, Driver: "d1"}, "a worker that died")
	require.NoError(t, err)

	sweep := func(held int) (ride.Swept, []string) {
		_, err := pool.Exec(ctx, `UPDATE ride.outbox SET sent_at = now()`)
		require.NoError(t, err)
		_, err = pool.Exec(ctx, `UPDATE ride.rides SET wake_at = now() - interval '1 second'`)
		require.NoError(t, err)
		_, err = pool.Exec(ctx, `UPDATE ride.offers SET expires_at = now() - interval '1 second'`)
		require.NoError(t, err)
		swept, err := s.Sweep(ctx, func(context.Context) (int, error) { return held, nil })
		require.NoError(t, err)
		again, err := s.Sweep(ctx, emptyQueue)
		require.NoError(t, err)
		require.Zero(t, again, "each was put off")
		free, err := s.FreeDrivers(ctx, []string{"d1"})
		require.NoError(t, err)
		return swept, free
	}

	for range 4 {
		swept, free := sweep(21)
		require.Zero(t, swept.Requeued, "all of them wait on the queue")
		require.Equal(t, []string{"d1"}, free, "the driver who was asked does not wait with it")
	}
	swept, _ := sweep(18)
	require.Equal(t, 3, swept.Requeued, "as many as the queue lacks")
	swept, _ = sweep(0)
	require.Equal(t, 21, swept.Requeued, "the queue has lost them all")
}
