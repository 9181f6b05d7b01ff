package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/internal/queue/sqsworker"
)

const rideID = "01940000-0000-7000-8000-000000000001"

// fakeBoard is one ride with its rules, on the bubble's clock, and a diary of
// what was done to it.
type fakeBoard struct {
	mu      sync.Mutex
	ride    job
	busy    map[string]bool
	diary   []string
	fail    error
	changed chan struct{}
	serial  int
}

func newBoard() *fakeBoard {
	return &fakeBoard{ride: job{ID: rideID, Attempt: 1, Open: true, ExpiresAt: time.Now().Add(10 * time.Minute)}, busy: map[string]bool{}, changed: make(chan struct{}, 1)}
}

func (b *fakeBoard) do(format string, args ...any) {
	b.diary = append(b.diary, fmt.Sprintf(format, args...))
}

func (b *fakeBoard) Received(_ context.Context, req event.RideRequest, m sqsworker.Message) (job, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return job{}, b.fail
	}
	if !b.ride.Open || req.Attempt != b.ride.Attempt {
		return job{}, errDrop
	}
	b.do("received %d", m.Receives)
	return b.ride, nil
}

func (b *fakeBoard) Get(_ context.Context, j job) (job, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ride.Attempt != j.Attempt {
		return job{}, errDrop
	}
	return b.ride, b.fail
}

func (b *fakeBoard) Free(_ context.Context, drivers []string) ([]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(drivers), func(d string) bool { return b.busy[d] }), nil
}

func (b *fakeBoard) Offer(_ context.Context, _ job, driver string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ride.Open || b.ride.Offer != nil || driver == "taken" {
		return errTaken
	}
	b.do("offer %s", driver)
	b.serial++
	b.ride.Offer = &offer{ID: fmt.Sprint(b.serial), ExpiresAt: time.Now().Add(15 * time.Second)}
	b.ride.Tried = append(b.ride.Tried, driver)
	return nil
}

// answer is what a driver, or the rider, does.
func (b *fakeBoard) answer(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.do("%s", what)
	b.ride.Offer = nil
	b.ride.Open = what == "refuse"
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

func (b *fakeBoard) ExpireOffer(_ context.Context, j job) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ride.Offer == nil || b.ride.Offer.ID != j.Offer.ID || time.Now().Before(j.Offer.ExpiresAt) {
		return errTaken
	}
	b.do("expire")
	b.ride.Offer = nil
	return nil
}

func (b *fakeBoard) Requeue(_ context.Context, _ job, delay time.Duration, reason string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ride.Open {
		return errTaken
	}
	b.do("requeue %v: %s", delay, reason)
	b.ride.Attempt++
	return nil
}

func (b *fakeBoard) Unfulfilled(context.Context, job) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.do("unfulfilled")
	b.ride.Open = false
	return nil
}

func (b *fakeBoard) Dead(_ context.Context, _ event.RideRequest, reason string) error {
	b.do("dead: %s", reason)
	return nil
}

func (b *fakeBoard) Deleted(context.Context, event.RideRequest, string) error { return nil }

func (b *fakeBoard) Changed(string) (<-chan struct{}, func()) { return b.changed, func() {} }

// fakeFinder finds its drivers, in order.
type fakeFinder []string

func (f fakeFinder) Find(ctx context.Context, _ geo.Point, tried []string, free freeFunc) ([]string, error) {
	return free(ctx, slices.DeleteFunc(slices.Clone(f), func(d string) bool { return slices.Contains(tried, d) }))
}

func request(t *testing.T, attempt, receives int) sqsworker.Message {
	t.Helper()
	e, err := event.New(rideID, event.TypeRideRequest, time.Now(), event.RideRequest{RideID: rideID, Attempt: attempt})
	require.NoError(t, err)
	body, err := json.Marshal(e)
	require.NoError(t, err)
	return sqsworker.Message{ID: "m1", Body: body, Receives: receives}
}

func newTestHandler(t *testing.T, b *fakeBoard, drivers ...string) *handler {
	return &handler{
		board: b, finder: fakeFinder(drivers), noDriver: 5 * time.Second, poll: time.Second,
		stopping: t.Context(), lastMoment: 3 * time.Second, log: slog.New(slog.DiscardHandler),
	}
}

// after runs fn once d has passed on the bubble's clock.
func after(d time.Duration, fn func()) { time.AfterFunc(d, fn) }

func TestOffersToTheNextUntilOneAccepts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		b.busy["busy"] = true
		h := newTestHandler(t, b, "busy", "taken", "ana", "bo", "cy")
		after(2*time.Second, func() { b.answer("refuse") })
		after(20*time.Second, func() { b.answer("accept") }) // bo lets 15 s pass, cy accepts
		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 1)))
		require.Equal(t, []string{"received 1", "offer ana", "refuse", "offer bo", "expire", "offer cy", "accept"}, b.diary)
	})
}

func TestAnAnswerWithoutASignalIsFoundByPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		h := newTestHandler(t, b, "ana")
		b.changed = nil
		after(2500*time.Millisecond, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.ride.Open, b.ride.Offer = false, nil
		})
		began := time.Now()
		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 1)))
		require.Equal(t, 3*time.Second, time.Since(began))
	})
}

func TestNobodyFreeGoesThroughTheOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		h := newTestHandler(t, b, "taken")
		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 1)))
		require.Equal(t, []string{"received 1", "requeue 5s: no driver is free"}, b.diary)
		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 2)), "a message of another attempt is dropped")
		require.Len(t, b.diary, 2)
	})
}

func TestResumesWithACrashedWorkersOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		h := newTestHandler(t, b, "ana", "bo")
		b.ride.Offer, b.ride.Tried = &offer{ID: "old", ExpiresAt: time.Now().Add(4 * time.Second)}, []string{"ana"}
		after(6*time.Second, func() { b.answer("accept") })
		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 2)))
		require.Equal(t, []string{"received 2", "expire", "offer bo", "accept"}, b.diary)
	})
}

func TestARideThatEndedNeedsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		h := newTestHandler(t, b, "ana")
		after(time.Second, func() { b.answer("cancel") })
		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 1)))
		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 2)))
		require.Equal(t, []string{"received 1", "offer ana", "cancel"}, b.diary)
	})
}

func TestPastItsEndARideIsUnfulfilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		b.ride.ExpiresAt = time.Now().Add(10 * time.Second)
		h := newTestHandler(t, b, "ana", "bo")
		require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 1)))
		require.Equal(t, []string{"received 1", "offer ana", "expire", "unfulfilled"}, b.diary)
	})
}

func TestStoppingGivesTheDriverALastMoment(t *testing.T) {
	for _, answered := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := newBoard()
			h := newTestHandler(t, b, "ana", "bo")
			stopping, stop := context.WithCancel(t.Context())
			h.stopping = stopping
			after(2*time.Second, stop)
			last := "requeue 0s: the worker shuts down"
			if answered {
				after(4*time.Second, func() { b.answer("accept") })
				last = "accept"
			}
			began := time.Now()
			require.Equal(t, sqsworker.Done(), h.Handle(t.Context(), request(t, 1, 1)))
			require.Equal(t, []string{"received 1", "offer ana", last}, b.diary)
			require.LessOrEqual(t, time.Since(began), 5*time.Second)
		})
	}
}

func TestFailuresAreRetriedThenBuried(t *testing.T) {
	b := newBoard()
	b.fail = errors.New("no database")
	h := newTestHandler(t, b)
	require.Equal(t, sqsworker.RetryAfter(2*time.Second, b.fail), h.Handle(t.Context(), request(t, 1, 1)))
	require.Equal(t, sqsworker.RetryAfter(16*time.Second, b.fail), h.Handle(t.Context(), request(t, 1, 4)))
	require.IsType(t, sqsworker.DeadLetter(nil), h.Handle(t.Context(), request(t, 1, 5)))
	require.Equal(t, []string{"dead: try 5 of 5: no database"}, b.diary)

	lost, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, sqsworker.Release(), h.Handle(lost, request(t, 1, 5)), "a lost message has not failed")
}

func TestUnreadableRequestsAreBuriedAtOnce(t *testing.T) {
	h := newTestHandler(t, newBoard())
	for _, body := range []string{
		``, `{}`, `{"id":"x","type":"ride.request","version":2}`, `{"id":"x","type":"ride.assigned","version":1}`,
		`{"id":"x","type":"ride.request","version":1,"data":{"ride_id":"?","attempt":1}}`,
		`{"id":"x","type":"ride.request","version":1,"data":7}`,
	} {
		_, err := decode([]byte(body))
		require.Error(t, err, body)
		require.Equal(t, sqsworker.DeadLetter(err).Outcome(), h.Handle(t.Context(), sqsworker.Message{Body: []byte(body), Receives: 1}).Outcome(), body)
	}
}
