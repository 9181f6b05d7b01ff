package ride_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/domain/geo"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/postgres"
	"tandem/services/test/testenv"
)

func newStore(t *testing.T) (*ride.Store, *pgxpool.Pool) {
	t.Helper()
	_, pool := testenv.Database(t, ride.Schemas()...)
	return ride.NewStore(pool, profile.Fast()), pool
}

func booking(rider, key string) ride.Booking {
	return ride.Booking{
		RiderID: rider, Key: key, DistanceM: 3000, DurationS: 400, Price: ride.Money{AmountMinor: 18_500, Currency: "UYU"},
		Pickup:  ride.Place{Point: geo.Point{Lat: -34.90, Lon: -56.19}, Label: "A"},
		Dropoff: ride.Place{Point: geo.Point{Lat: -34.91, Lon: -56.15}, Label: "B"},
	}
}

func create(t *testing.T, s *ride.Store, rider, key string) ride.Ride {
	t.Helper()
	r, replayed, err := s.Create(t.Context(), booking(rider, key))
	require.NoError(t, err)
	require.False(t, replayed)
	return r
}

func onDuty(t *testing.T, s *ride.Store, drivers ...string) {
	t.Helper()
	for _, d := range drivers {
		st, err := s.SetDuty(t.Context(), d, true)
		require.NoError(t, err)
		require.True(t, st.OnDuty)
	}
}

func kindsOf(t *testing.T, s *ride.Store, id string) (out []ride.EventKind) {
	t.Helper()
	events, err := s.Events(t.Context(), id, 0, 100)
	require.NoError(t, err)
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return out
}

func queues(t *testing.T, pool *pgxpool.Pool, id string) (out []string) {
	t.Helper()
	rows, err := pool.Query(t.Context(), `SELECT queue FROM ride.outbox WHERE key = $1 ORDER BY seq`, id)
	require.NoError(t, err)
	for rows.Next() {
		var q string
		require.NoError(t, rows.Scan(&q))
		out = append(out, q)
	}
	return out
}

// statements keeps what is asked.
type statements struct {
	mu  sync.Mutex
	sql []string
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sql = append(s.sql, q.SQL)
	return ctx
}
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Every accept looks an offer up: by the index, however many offers there are.
func TestAnOfferIsFoundByItsIndex(t *testing.T) {
	t.Parallel()
	url, _ := testenv.Database(t, ride.Schemas()...)
	asked := &statements{}
	pool, err := postgres.Open(t.Context(), url, postgres.PoolOptions{Tracer: asked})
	require.NoError(t, err)
	defer pool.Close()
	_, _, err = ride.NewStore(pool, profile.Fast()).OfferRide(t.Context(), "01940000-0000-7000-8000-000000000001", "d1")
	require.ErrorIs(t, err, ride.ErrNotFound)
	found := asked.sql[len(asked.sql)-1]
	require.Contains(t, found, "ride.offers")
	_, _, err = ride.NewStore(pool, profile.Fast()).OfferRide(t.Context(), "no UUID", "")
	require.ErrorIs(t, err, ride.ErrNotFound)

	require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil { // the table is empty
			return err
		}
		rows, err := tx.Query(t.Context(), `EXPLAIN `+found, "01940000-0000-7000-8000-000000000001", "d1")
		if err != nil {
			return err
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.Contains(t, fmt.Sprint(plan), "Index Cond: (id =")
		return err
	}))
}

func TestARidesWholeLife(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	ctx := t.Context()
	r := create(t, s, "p1", "k1")
	onDuty(t, s, "d1")

	do := func(a ride.Action) {
		t.Helper()
		var err error
		r, err = s.Do(ctx, r.ID, a, "test")
		require.NoError(t, err)
	}

	do(ride.Action{Kind: ride.ActOffer, Driver: "d1", Attempt: 1})
	require.Equal(t, "d1", r.Offer.DriverID)
	st, err := s.Driver(ctx, "d1")
	require.NoError(t, err)
	require.Equal(t, r.Offer.ID, st.Offer.ID)
	require.Equal(t, profile.Fast().Offer, st.Offer.ExpiresAt.Sub(st.Offer.MadeAt), "the whole time to answer")
	require.False(t, st.Offer.At.Before(st.Offer.MadeAt), "now, by the same clock")
	_, err = s.SetDuty(ctx, "d1", false)
	require.ErrorIs(t, err, ride.ErrBusy)

	do(ride.Action{Kind: ride.ActAccept, Driver: "d1", Offer: r.Offer.ID})
	require.NotNil(t, r.AssignedAt)
	st, err = s.Driver(ctx, "d1")
	require.NoError(t, err)
	require.Equal(t, r.ID, st.Ride.ID)
	_, err = s.Do(ctx, r.ID, ride.Action{Kind: ride.ActArrive, Driver: "d2"}, "test")
	require.ErrorIs(t, err, ride.ErrDriver)

	do(ride.Action{Kind: ride.ActArrive, Driver: "d1"})
	do(ride.Action{Kind: ride.ActPickUp, Driver: "d1"})
	do(ride.Action{Kind: ride.ActDropOff, Driver: "d1"})
	require.Equal(t, ride.Completed, r.State)
	require.Equal(t, []ride.EventKind{"requested", "offered", "assigned", "arrived", "picked_up", "completed"}, kindsOf(t, s, r.ID))
	require.Equal(t, []string{"ride-requests", "notifications.fifo", "notifications.fifo", "notifications.fifo", "notifications.fifo"}, queues(t, pool, r.ID))

	got, err := s.Get(ctx, r.ID)
	require.NoError(t, err)
	require.Equal(t, r.Vehicle, got.Vehicle)
	_, err = s.SetDuty(ctx, "d1", false)
	require.NoError(t, err)
	_, err = s.Get(ctx, "no-uuid")
	require.ErrorIs(t, err, ride.ErrNotFound)
}

func TestOneKeyIsOneRideHoweverManyAskAtOnce(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	var wg sync.WaitGroup
	var made atomic.Int32
	ids := make(chan string, 40)
	for range 40 {
		wg.Go(func() {
			r, replayed, err := s.Create(t.Context(), booking("p1", "same"))
			if err != nil {
				t.Error(err)
				return
			}
			if !replayed {
				made.Add(1)
			}
			ids <- r.ID
		})
	}
	wg.Wait()
	close(ids)

	first := <-ids
	for id := range ids {
		require.Equal(t, first, id)
	}
	require.Equal(t, int32(1), made.Load())
	require.Len(t, queues(t, pool, first), 1)

	other := booking("p1", "same")
	other.Dropoff.Lat = -34.8
	_, _, err := s.Create(t.Context(), other)
	require.ErrorIs(t, err, ride.ErrKeyReused)
	_, replayed, err := s.Create(t.Context(), booking("p2", "same"))
	require.NoError(t, err)
	require.False(t, replayed, "a key belongs to one rider")
}

// An index, and not the worker's care, keeps a ride from a second driver.
func TestARideWithADriverIsTaken(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	onDuty(t, s, "d1")
	r := create(t, s, "p1", "k")
	_, err := pool.Exec(t.Context(), `INSERT INTO ride.offers (id, ride_id, driver_id, attempt, state, made_at, expires_at)
		VALUES (gen_random_uuid(), $1, 'd2', 1, 'accepted', now(), now())`, r.ID)
	require.NoError(t, err)

	_, err = s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActOffer, Driver: "d1"}, "test")
	require.ErrorIs(t, err, ride.ErrTaken)
}

func TestManyOfferOneDriver(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	onDuty(t, s, "d1")
	var wg sync.WaitGroup
	var won, taken atomic.Int32
	for i := range 50 {
		r := create(t, s, fmt.Sprintf("p%d", i), "k")
		wg.Go(func() {
			_, err := s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActOffer, Driver: "d1"}, "test")
			switch {
			case err == nil:
				won.Add(1)
			case isTaken(err):
				taken.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()

	require.Equal(t, int32(1), won.Load())
	require.Equal(t, int32(49), taken.Load())
	free, err := s.FreeDrivers(t.Context(), []string{"d0", "d1"})
	require.NoError(t, err)
	require.Empty(t, free)
}

func isTaken(err error) bool { return errors.Is(err, ride.ErrTaken) }

// Whatever actions come in whatever order from several at once, the invariants
// hold after each.
func TestInvariantsUnderRandomActions(t *testing.T) {
	s, pool := newStore(t)
	onDuty(t, s, "d0", "d1", "d2")
	rapid.Check(t, func(rt *rapid.T) {
		var ids []string
		for range 3 {
			r, _, err := s.Create(context.Background(), booking("p", fmt.Sprint(time.Now().UnixNano())))
			require.NoError(rt, err)
			ids = append(ids, r.ID)
		}

		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			id := rapid.SampledFrom(ids).Draw(rt, "ride")
			a := ride.Action{Kind: rapid.SampledFrom(kinds()).Draw(rt, "kind"), Driver: rapid.SampledFrom([]string{"d0", "d1", "d2"}).Draw(rt, "driver")}
			before, err := s.Get(context.Background(), id)
			require.NoError(rt, err)
			after, err := s.Do(context.Background(), id, a, "test")
			if err != nil {
				now, getErr := s.Get(context.Background(), id)
				require.NoError(rt, getErr)
				require.Equal(rt, before.State, now.State, "an action that fails changes nothing")
				continue
			}
			want, err := ride.Next(before.State, a)
			require.NoError(rt, err)
			require.Equal(rt, want, after.State)
			require.Equal(rt, after.State.Live(), after.DriverID != "" && !after.State.Terminal())
		}

		for _, id := range ids { // leave nothing live for the next round
			for _, k := range []ride.ActionKind{ride.ActCancel, ride.ActDropOff} {
				_, _ = s.Do(context.Background(), id, ride.Action{Kind: k}, "test")
			}
		}

		var broken int
		require.NoError(rt, pool.QueryRow(context.Background(), `SELECT count(*) FROM ride.rides r WHERE
			(r.state IN ('offered') AND NOT EXISTS (SELECT FROM ride.offers o WHERE o.ride_id = r.id AND o.state = 'open' AND o.driver_id = r.driver_id))
			OR (r.state <> 'offered' AND EXISTS (SELECT FROM ride.offers o WHERE o.ride_id = r.id AND o.state = 'open'))
			OR r.attempt <> (SELECT count(*) FROM ride.outbox o WHERE o.key = r.id::text AND o.queue = 'ride-requests')`).Scan(&broken))
		require.Zero(rt, broken)
	})
}

func TestAMessageOfAnotherAttemptIsDropped(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	r := create(t, s, "p1", "k")

	_, err := s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActRequeue, Attempt: 1, Reason: "nobody free"}, "test")
	require.NoError(t, err)
	_, err = s.Received(t.Context(), r.ID, 1, ride.Receipt{MessageID: "m", Receives: 1})
	require.ErrorIs(t, err, ride.ErrAttempt)
	_, err = s.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActOffer, Driver: "d", Attempt: 1}, "test")
	require.ErrorIs(t, err, ride.ErrAttempt)

	before := wakeAt(t, pool, r.ID)
	_, err = s.Received(t.Context(), r.ID, 2, ride.Receipt{MessageID: "m", Receives: 1})
	require.NoError(t, err)
	require.False(t, wakeAt(t, pool, r.ID).Before(before), "the sweeper waits while the message may come back")

	require.NoError(t, s.DeadLettered(t.Context(), r.ID, 2, "poison", "worker"))
	now, err := s.Get(t.Context(), r.ID)
	require.NoError(t, err)
	require.WithinDuration(t, now.ExpiresAt, wakeAt(t, pool, r.ID), time.Millisecond, "a person has until then")
}

func wakeAt(t *testing.T, pool *pgxpool.Pool, id string) (at time.Time) {
	t.Helper()
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT wake_at FROM ride.rides WHERE id = $1`, id).Scan(&at))
	return at
}
