package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/domain/ride"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/problem"
	"tandem/services/internal/queue/sqsworker"
)

const rideID = "01940000-0000-7000-8000-000000000001"

// fakeRides is one ride with its rules, on the bubble's clock, and what was done to
// it, in order.
type fakeRides struct {
	mu      sync.Mutex
	ride    ride.Ride
	tried   []string
	busy    map[string]bool
	history []string
	fail    error
	changed chan struct{}
}

func newRides() *fakeRides {
	return &fakeRides{
		ride: ride.Ride{ID: rideID, State: ride.Requested, Attempt: 1, ExpiresAt: time.Now().Add(10 * time.Minute)},
		busy: map[string]bool{}, changed: make(chan struct{}, 1),
	}
}

func (f *fakeRides) Received(_ context.Context, _ string, attempt int, m ride.Receipt) (ride.Ride, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return ride.Ride{}, f.fail
	}
	if attempt > f.ride.Attempt {
		return ride.Ride{}, ride.ErrAhead
	}
	if attempt < f.ride.Attempt {
		return ride.Ride{}, ride.ErrAttempt
	}
	f.history = append(f.history, fmt.Sprintf("received %d by %s", m.Receives, m.Worker))
	return f.ride, nil
}

func (f *fakeRides) Get(context.Context, string) (ride.Ride, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ride, f.fail
}

func (f *fakeRides) Asked(context.Context, ...string) (map[string]ride.Asked, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return map[string]ride.Asked{rideID: {Not: slices.Clone(f.tried)}}, nil
}

func (f *fakeRides) Waiting(context.Context, ride.Ride, float64, int) ([]ride.Ride, error) {
	return nil, nil
}

func (f *fakeRides) FreeDrivers(_ context.Context, drivers []string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(drivers), func(d string) bool { return f.busy[d] }), nil
}

func (f *fakeRides) Do(_ context.Context, _ string, a ride.Action, _ string) (ride.Ride, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a.Attempt != f.ride.Attempt {
		return f.ride, ride.ErrAttempt
	}

	to, err := ride.Next(f.ride.State, a)
	switch {
	case err != nil:
		return f.ride, err
	case a.Kind == ride.ActOffer && a.Driver == "taken":
		return f.ride, ride.ErrTaken
	case a.Kind == ride.ActExpireOffer && time.Now().Before(f.ride.Offer.ExpiresAt):
		return f.ride, ride.ErrState
	}

	f.history = append(f.history, strings.TrimSpace(string(a.Kind.Event())+" "+a.Driver+a.Reason))
	f.ride.State, f.ride.Offer = to, nil
	switch a.Kind {
	case ride.ActOffer:
		f.tried = append(f.tried, a.Driver)
		f.ride.Offer = &ride.Offer{ID: a.Driver, DriverID: a.Driver, ExpiresAt: time.Now().Add(15 * time.Second)}
	case ride.ActRequeue:
		f.history = append(f.history, "after "+a.Delay.String())
		f.ride.Attempt++
	}
	return f.ride, nil
}

func (f *fakeRides) DeadLettered(_ context.Context, _ string, _ int, reason, _ string) error {
	f.history = append(f.history, "dead: "+reason)
	return nil
}

// answer is what a driver, or the rider, does after d.
func (f *fakeRides) answer(d time.Duration, kind ride.ActionKind) {
	time.AfterFunc(d, func() {
		_, _ = f.Do(context.Background(), rideID, ride.Action{Kind: kind, Attempt: 1}, "")
		select {
		case f.changed <- struct{}{}:
		default:
		}
	})
}

// fakeFinder finds its drivers, in order.
type fakeFinder []string

func (f fakeFinder) Find(ctx context.Context, p geo.Point, pick func(context.Context, []string) ([]string, error)) ([]candidate, error) {
	picked, err := pick(ctx, f)
	var out []candidate
	for _, id := range picked {
		out = append(out, candidate{ID: id, Point: p})
	}
	return f.Times(p, out), err
}

func (f fakeFinder) Times(_ geo.Point, drivers []candidate) []candidate {
	for i := range drivers {
		drivers[i].away = time.Duration(slices.Index(f, drivers[i].ID)) * time.Second
	}
	return drivers
}

func request(t *testing.T, attempt, receives int) sqsworker.Message {
	t.Helper()
	e, err := event.New(rideID, event.TypeRideRequest, time.Now(), event.RideRequest{RideID: rideID, Attempt: attempt})
	require.NoError(t, err)
	body, err := json.Marshal(e)
	require.NoError(t, err)
	return sqsworker.Message{ID: "m1", Body: body, Receives: receives}
}

func newTestHandler(t *testing.T, f *fakeRides, drivers ...string) *handler {
	nearby, database := newDependencies(2 * time.Second)
	return &handler{
		nearby: nearby, postgres: database, retryWithin: 30 * time.Second,
		rides: f, finder: fakeFinder(drivers), worker: "w1", noDriver: 5 * time.Second, poll: time.Second,
		watch:    func(string) (<-chan struct{}, func()) { return f.changed, func() {} },
		stopping: t.Context(), grace: 3 * time.Second, log: slog.New(slog.DiscardHandler),
	}
}

func TestOffersToTheNextUntilOneAccepts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newRides()
		f.busy["busy"] = true
		h := newTestHandler(t, f, "busy", "taken", "ana", "bo", "cy")
		f.answer(2*time.Second, ride.ActRefuse)
		f.answer(20*time.Second, ride.ActAccept) // bo lets 15 s pass, cy accepts

		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 1)))
		require.Equal(t, []string{"received 1 by w1", "offered ana", "refused", "offered bo", "offer_expired", "offered cy", "assigned"}, f.history)
	})
}

func TestAnAnswerWithoutASignalIsFoundByPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newRides()
		h := newTestHandler(t, f, "ana")
		h.watch = func(string) (<-chan struct{}, func()) { return nil, func() {} }
		f.answer(2500*time.Millisecond, ride.ActAccept)

		began := time.Now()
		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 1)))
		require.Equal(t, 3*time.Second, time.Since(began))
	})
}

func TestNobodyFreeGoesThroughTheOutbox(t *testing.T) {
	f := newRides()
	h := newTestHandler(t, f, "taken")
	require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 1)))
	require.Equal(t, []string{"received 1 by w1", "requeued no driver is free", "after 5s"}, f.history)
	require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 2)), "a message of another attempt is dropped")
	require.Len(t, f.history, 3)
	require.Equal(t, sqsworker.OutcomeDead, h.Handle(t.Context(), request(t, 7, 1)).Outcome(), "the ride has not come to it")
}

func TestResumesWithACrashedWorkersOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newRides()
		h := newTestHandler(t, f, "ana", "bo")
		f.tried, f.ride.State = []string{"ana"}, ride.Offered
		f.ride.Offer = &ride.Offer{ID: "old", DriverID: "ana", ExpiresAt: time.Now().Add(4 * time.Second)}
		f.answer(6*time.Second, ride.ActAccept)

		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 2)))
		require.Equal(t, []string{"received 2 by w1", "offer_expired", "offered bo", "assigned"}, f.history)
		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 3)), "assigned: nothing but the delete is left")
	})
}

func TestACancelledRideNeedsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newRides()
		h := newTestHandler(t, f, "ana")
		f.answer(time.Second, ride.ActCancel)

		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 1)))
		require.Equal(t, []string{"received 1 by w1", "offered ana", "cancelled"}, f.history)
	})
}

func TestPastItsEndARideIsUnfulfilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newRides()
		f.ride.ExpiresAt = time.Now().Add(10 * time.Second)
		h := newTestHandler(t, f, "ana", "bo")
		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 1)))
		require.Equal(t, []string{"received 1 by w1", "offered ana", "offer_expired", "unfulfilled no driver was free in time"}, f.history)
	})
}

func TestStoppingLeavesTheDriverTheTimeOfGrace(t *testing.T) {
	for _, answered := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := newRides()
			h := newTestHandler(t, f, "ana", "bo")
			stopping, stop := context.WithCancel(t.Context())
			h.stopping = stopping
			time.AfterFunc(2*time.Second, stop)
			last := []string{"requeued the worker shuts down", "after 0s"}
			if answered {
				f.answer(4*time.Second, ride.ActAccept)
				last = []string{"assigned"}
			}

			began := time.Now()
			require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 1)))
			require.Equal(t, append([]string{"received 1 by w1", "offered ana"}, last...), f.history)
			require.LessOrEqual(t, time.Since(began), 5*time.Second)
		})
	}
}

func TestAFailureIsRetriedAndADeadLetterIsTold(t *testing.T) {
	f := newRides()
	f.fail = errors.New("a row that cannot be read")
	h := newTestHandler(t, f)

	require.Equal(t, sqsworker.RetryAfter(5*time.Second, f.fail), h.Handle(t.Context(), request(t, 1, 1)))
	require.Equal(t, sqsworker.RetryAfter(30*time.Second, f.fail), h.Handle(t.Context(), request(t, 1, 4)))
	require.Equal(t, sqsworker.RetryAfter(30*time.Second, f.fail), h.Handle(t.Context(), request(t, 1, 5)), "the worker knows the last try")
	require.Empty(t, f.history)

	h.deadLettered(t.Context(), request(t, 1, 5), "poison")
	h.deadLettered(t.Context(), sqsworker.Message{Body: []byte("{")}, "it is about no ride")
	require.Equal(t, []string{"dead: poison"}, f.history)

	lost, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, sqsworker.Release(), h.Handle(lost, request(t, 1, 5)), "a lost message has not failed")

	f.fail = ride.ErrNotFound
	require.Equal(t, sqsworker.OutcomeDead, h.Handle(t.Context(), request(t, 1, 1)).Outcome())
}

// awayFinder is nearby, away for a time.
type awayFinder struct {
	until time.Time
	err   error
	fakeFinder
}

func (f awayFinder) Find(ctx context.Context, p geo.Point, pick func(context.Context, []string) ([]string, error)) ([]candidate, error) {
	if time.Now().Before(f.until) {
		return nil, f.err
	}
	return f.fakeFinder.Find(ctx, p, pick)
}

func TestThatNearbyIsAwayIsNoFailureOfTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newRides()
		h := newTestHandler(t, f)
		err := fmt.Errorf("%w: %w", errNearby, &problem.Error{Code: problem.Internal})
		h.finder = awayFinder{time.Now().Add(2 * time.Minute), err, fakeFinder{"ana"}}
		f.answer(2*time.Minute+5*time.Second, ride.ActAccept)

		time.AfterFunc(time.Minute, func() {
			if h.nearby.Err() == nil {
				t.Error("nobody is told that nearby is away")
			}
		})
		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 5)))
		require.Equal(t, []string{"received 5 by w1", "offered ana", "assigned"}, f.history)
		require.NoError(t, h.nearby.Err())
	})
}

func TestWhileNearbyIsAwayARideIsStillMoved(t *testing.T) {
	away := fmt.Errorf("%w: %w", errNearby, httpclient.ErrUnreachable)
	for last, move := range map[string]func(f *fakeRides, stop func()){
		"cancelled": func(f *fakeRides, _ func()) { f.answer(0, ride.ActCancel) },
		"unfulfilled no driver was free in time": func(f *fakeRides, _ func()) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.ride.ExpiresAt = time.Now()
		},
		"after 0s": func(_ *fakeRides, stop func()) { stop() }, // given back through the outbox
	} {
		t.Run(last, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newRides()
				h := newTestHandler(t, f)
				h.finder = awayFinder{time.Now().Add(time.Hour), away, nil}
				stopping, stop := context.WithCancel(t.Context())
				h.stopping = stopping
				time.AfterFunc(9*time.Second, func() { move(f, stop) })

				began := time.Now()
				require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 1)))
				require.Equal(t, last, f.history[len(f.history)-1])
				require.Less(t, time.Since(began), 12*time.Second)
			})
		})
	}
}

func TestThatPostgresIsAwayIsNoFailureOfTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newRides()
		h := newTestHandler(t, f, "ana")
		f.fail = &pgconn.PgError{Code: "57P01"}
		time.AfterFunc(2*time.Minute, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.fail = nil
		})
		f.answer(2*time.Minute+5*time.Second, ride.ActAccept)
		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 5)))
		require.Equal(t, []string{"received 5 by w1", "offered ana", "assigned"}, f.history)
	})
}

func TestUnreadableRequestsAreDeadLetteredAtOnce(t *testing.T) {
	h := newTestHandler(t, newRides())
	for _, body := range []string{
		``, `{}`, `{"id":"x","type":"ride.request","version":2}`, `{"id":"x","type":"ride.assigned","version":1}`,
		`{"id":"x","type":"ride.request","version":1,"data":{"ride_id":"?","attempt":1}}`,
		`{"id":"x","type":"ride.request","version":1,"data":7}`,
	} {
		_, err := decode([]byte(body))
		require.Error(t, err, body)
		require.Equal(t, sqsworker.OutcomeDead, h.Handle(t.Context(), sqsworker.Message{Body: []byte(body), Receives: 1}).Outcome(), body)
	}
}
