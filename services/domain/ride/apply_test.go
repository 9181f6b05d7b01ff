package ride_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
)

// during does act while another transaction is open on the ride, and commits that
// one when act waits for it, or has ended.
func during(t *testing.T, s *ride.Store, pool *pgxpool.Pool, id string, open []ride.Action, act func() error) error {
	t.Helper()
	ctx := t.Context()
	tx, err := pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	for _, a := range open {
		_, err := s.Apply(ctx, tx, id, a, "first")
		require.NoError(t, err)
	}

	ended := make(chan error, 1)
	go func() { ended <- act() }()
	pid := tx.Conn().PgConn().PID()
	require.Eventually(t, func() bool {
		var n int
		err := pool.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))`, pid).Scan(&n)
		return err == nil && n > 0 || len(ended) > 0
	}, 20*time.Second, 5*time.Millisecond)

	require.NoError(t, tx.Commit(ctx))
	return <-ended
}

// Of two actions at once the second sees what the first has done.
func TestTheSecondOfTwoActionsSeesTheFirst(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	onDuty(t, s, "d1")
	r := create(t, s, "p1", "k")

	err := during(t, s, pool, r.ID, []ride.Action{{Kind: ride.ActCancel}}, func() error {
		_, err := s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActOffer, Driver: "d1"}, "second")
		return err
	})
	require.ErrorIs(t, err, ride.ErrState)
	now, err := s.Get(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, ride.Cancelled, now.State)
}

// A driver who answers late may not answer the offer that was made to the next one
// while the answer waited for the ride's lock.
func TestALateAnswerDoesNotMeetTheNextOffer(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	onDuty(t, s, "d1", "d2")
	r := create(t, s, "p1", "k")
	r, err := s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActOffer, Driver: "d1"}, "test")
	require.NoError(t, err)

	answer := ride.Action{Kind: ride.ActAccept, Driver: "d1", Offer: r.Offer.ID}
	err = during(t, s, pool, r.ID, []ride.Action{{Kind: ride.ActRefuse}, {Kind: ride.ActOffer, Driver: "d2"}}, func() error {
		_, err := s.Do(t.Context(), r.ID, answer, "second")
		return err
	})
	require.ErrorIs(t, err, ride.ErrOffer)
	now, err := s.Get(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, ride.Offered, now.State)
	require.Equal(t, "d2", now.Offer.DriverID)
}

// A driver goes off duty while an offer to that driver is being made: the offer
// comes first, and the driver stays.
func TestADriverWithAnOfferUnderWayStaysOnDuty(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	onDuty(t, s, "d1")
	r := create(t, s, "p1", "k")

	err := during(t, s, pool, r.ID, []ride.Action{{Kind: ride.ActOffer, Driver: "d1"}}, func() error {
		_, err := s.SetDuty(t.Context(), "d1", false)
		return err
	})
	require.ErrorIs(t, err, ride.ErrBusy)
}

// Who may answer which offer, and who may move an accepted ride.
func TestActionsOfTheWrongOneAreRefused(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	onDuty(t, s, "d1", "d2")
	r := create(t, s, "p1", "k")
	do := func(a ride.Action) error {
		t.Helper()
		after, err := s.Do(t.Context(), r.ID, a, "test")
		if err == nil {
			r = after
		}
		return err
	}

	require.ErrorIs(t, do(ride.Action{Kind: ride.ActOffer, Driver: "off-duty"}), ride.ErrTaken)
	_, err := s.SetDuty(t.Context(), "d3", false)
	require.NoError(t, err)
	require.ErrorIs(t, do(ride.Action{Kind: ride.ActOffer, Driver: "d3"}), ride.ErrTaken)

	require.NoError(t, do(ride.Action{Kind: ride.ActOffer, Driver: "d1"}))
	past := r.Offer.ID
	require.ErrorIs(t, do(ride.Action{Kind: ride.ActExpireOffer, Offer: past}), ride.ErrState, "its deadline has not passed")
	require.NoError(t, do(ride.Action{Kind: ride.ActRefuse, Driver: "d1", Offer: past}))
	require.NoError(t, do(ride.Action{Kind: ride.ActOffer, Driver: "d2"}))
	require.ErrorIs(t, do(ride.Action{Kind: ride.ActAccept, Offer: past}), ride.ErrOffer)
	require.ErrorIs(t, do(ride.Action{Kind: ride.ActAccept, Driver: "d1", Offer: r.Offer.ID}), ride.ErrDriver)

	require.NoError(t, do(ride.Action{Kind: ride.ActAccept, Driver: "d2", Offer: r.Offer.ID}))
	require.ErrorIs(t, do(ride.Action{Kind: ride.ActRequeue, Attempt: 1}), ride.ErrState, "only a driver who is lost loses the ride")

	late := create(t, s, "p2", "k")
	late, err = s.Do(t.Context(), late.ID, ride.Action{Kind: ride.ActOffer, Driver: "d1"}, "test")
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), `UPDATE ride.offers SET expires_at = clock_timestamp() - interval '1 ms' WHERE id = $1`, late.Offer.ID)
	require.NoError(t, err)
	_, err = s.Do(t.Context(), late.ID, ride.Action{Kind: ride.ActAccept, Driver: "d1", Offer: late.Offer.ID}, "test")
	require.ErrorIs(t, err, ride.ErrOffer, "its deadline has passed")
}

// A ride that is looked for again: a message for the new attempt, with its delay,
// and the full time to find another driver for a rider who lost one.
func TestARideIsLookedForAgain(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	onDuty(t, s, "d1")
	r := create(t, s, "p1", "k")
	delays := func() (out []time.Duration) {
		rows, err := pool.Query(t.Context(), `SELECT due_at - added_at FROM ride.outbox WHERE key = $1 AND queue = 'ride-requests' ORDER BY seq`, r.ID)
		require.NoError(t, err)
		out, err = pgx.CollectRows(rows, pgx.RowTo[time.Duration])
		require.NoError(t, err)
		return out
	}

	r, err := s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActRequeue, Delay: 7 * time.Second}, "test")
	require.NoError(t, err)
	require.Equal(t, 2, r.Attempt)
	got := delays()
	require.Len(t, got, 2)
	require.InDelta(t, 7, got[1].Seconds(), 1)

	for _, a := range []ride.Action{{Kind: ride.ActOffer, Driver: "d1"}, {Kind: ride.ActAccept}} {
		_, err = s.Do(t.Context(), r.ID, a, "test")
		require.NoError(t, err)
	}
	// As if most of its time had been spent on finding the first one.
	_, err = pool.Exec(t.Context(), `UPDATE ride.rides SET expires_at = clock_timestamp() + interval '1 s' WHERE id = $1`, r.ID)
	require.NoError(t, err)
	r, err = s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActRequeue, LoseDriver: true}, "test")
	require.NoError(t, err)
	require.Greater(t, time.Until(r.ExpiresAt), profile.Fast().ExpiresAfter/2)
	require.Len(t, delays(), 3)
}

// What a worker or a driver does never brings the sweeper forward: the message may
// still come back.
func TestARefusalDoesNotBringTheSweeperForward(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	onDuty(t, s, "d1")
	r := create(t, s, "p1", "k")
	later := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	_, err := pool.Exec(t.Context(), `UPDATE ride.rides SET wake_at = $2 WHERE id = $1`, r.ID, later)
	require.NoError(t, err)

	for _, a := range []ride.Action{{Kind: ride.ActOffer, Driver: "d1"}, {Kind: ride.ActRefuse}} {
		_, err := s.Do(t.Context(), r.ID, a, "test")
		require.NoError(t, err)
		require.True(t, wakeAt(t, pool, r.ID).Equal(later), string(a.Kind))
	}

	_, err = pool.Exec(t.Context(), `UPDATE ride.rides SET wake_at = clock_timestamp() WHERE id = $1`, r.ID)
	require.NoError(t, err)
	_, err = s.Received(t.Context(), r.ID, 1, ride.Receipt{MessageID: "m", Receives: 1})
	require.NoError(t, err)
	require.Greater(t, time.Until(wakeAt(t, pool, r.ID)), profile.Fast().Visibility, "a receive puts it off")
}

// hook calls a function once, when the first transaction begins.
type hook struct{ begin func() }

func (h *hook) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	if f := h.begin; f != nil && q.SQL == "begin" {
		h.begin = nil
		f()
	}
	return ctx
}

func (h *hook) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Between a sweep's look and its lock, a sweeper of another replica moves the ride.
func TestASweepLooksAgainUnderTheLock(t *testing.T) {
	t.Parallel()
	other, pool := newStore(t)
	r := create(t, other, "p1", "k")
	_, err := pool.Exec(t.Context(), `UPDATE ride.outbox SET sent_at = now(); UPDATE ride.rides SET wake_at = now() - interval '1 second'`)
	require.NoError(t, err)

	h := &hook{}
	cfg := pool.Config()
	cfg.ConnConfig.Tracer = h
	hooked, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(hooked.Close)
	h.begin = func() {
		swept, err := other.Sweep(t.Context(), emptyQueue)
		require.NoError(t, err)
		require.Equal(t, 1, swept.Requeued)
	}

	swept, err := ride.NewStore(hooked, profile.Fast()).Sweep(t.Context(), emptyQueue)
	require.NoError(t, err)
	require.Nil(t, h.begin, "the other sweeper was there")
	require.Zero(t, swept.Requeued)
	now, err := other.Get(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, 2, now.Attempt, "one message more, not two")
}

// A ride that somebody moves is not waited for.
func TestASweepSkipsALockedRide(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	locked, lost := create(t, s, "p1", "k"), create(t, s, "p2", "k")
	_, err := pool.Exec(t.Context(), `UPDATE ride.outbox SET sent_at = now(); UPDATE ride.rides SET wake_at = now() - interval '1 second'`)
	require.NoError(t, err)

	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(t.Context(), `SELECT FROM ride.rides WHERE id = $1 FOR UPDATE`, locked.ID)
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	swept, err := s.Sweep(ctx, emptyQueue)
	require.NoError(t, err)
	require.Equal(t, 1, swept.Requeued)
	now, err := s.Get(t.Context(), lost.ID)
	require.NoError(t, err)
	require.Equal(t, 2, now.Attempt)
}

func TestACancelledRideWithdrawsItsOffer(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	onDuty(t, s, "d1")
	r := create(t, s, "p1", "k")
	for _, a := range []ride.Action{{Kind: ride.ActOffer, Driver: "d1"}, {Kind: ride.ActCancel}} {
		_, err := s.Do(t.Context(), r.ID, a, "test")
		require.NoError(t, err)
	}

	var state string
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT state FROM ride.offers WHERE ride_id = $1`, r.ID).Scan(&state))
	require.Equal(t, "withdrawn", state)
}
