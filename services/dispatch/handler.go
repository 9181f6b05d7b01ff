package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/domain/ride"
	"tandem/services/internal/postgres"
	"tandem/services/internal/queue/sqsworker"
)

// rides is the part of *ride.Store that a worker uses; each call is one
// transaction.
type rides interface {
	Received(ctx context.Context, rideID string, attempt int, m ride.Receipt) (ride.Ride, error)
	Get(ctx context.Context, id string) (ride.Ride, error)
	Do(ctx context.Context, rideID string, a ride.Action, by string) (ride.Ride, error)
	Asked(ctx context.Context, rideIDs ...string) (map[string]ride.Asked, error)
	Waiting(ctx context.Context, r ride.Ride, metres float64, limit int) ([]ride.Ride, error)
	FreeDrivers(ctx context.Context, drivers []string) ([]string, error)
	DeadLettered(ctx context.Context, rideID string, attempt int, reason, by string) error
}

type finder interface {
	// Find returns those drivers near a pick-up that pick leaves, soonest there first.
	Find(ctx context.Context, pickup geo.Point, pick func(ctx context.Context, drivers []string) ([]string, error)) ([]candidate, error)
	// Times returns the drivers with their way to another pick-up, soonest there first.
	Times(pickup geo.Point, drivers []candidate) []candidate
}

type handler struct {
	rides    rides
	finder   finder
	worker   string
	noDriver time.Duration // a request that found nobody comes back after this
	poll     time.Duration // the ride is read this often while no signal comes
	// watch signals each change of a ride, and perhaps more often than that.
	watch func(rideID string) (changed <-chan struct{}, cancel func())
	// stopping ends when the worker is told to stop, before the handlers' own
	// contexts do. A driver who was asked may still answer for the time of grace.
	stopping context.Context
	grace    time.Duration
	log      *slog.Logger

	// That one of these is away is no failure of a message.
	nearby, postgres *sqsworker.Dependency
	retryWithin      time.Duration // a message that failed comes back after this at the latest
}

// newDependencies returns what a handler needs, each tried again after every.
func newDependencies(every time.Duration) (nearby, database *sqsworker.Dependency) {
	return &sqsworker.Dependency{Name: "nearby", Away: nearbyAway, Every: every},
		&sqsworker.Dependency{Name: "postgres", Away: func(err error) bool { return !errors.Is(err, errNearby) && postgres.Away(err) }, Every: every}
}

// Handle implements sqsworker.Handler: it returns Done once the ride has a
// driver, has ended, or has been sent again through the outbox.
func (h *handler) Handle(ctx context.Context, m sqsworker.Message) sqsworker.Result {
	//excerpt:unreadable
	req, err := decode(m.Body)
	if err != nil {
		return sqsworker.DeadLetter(err) // another try would read it no better
	}
	//excerpt:end

	err = h.dispatch(ctx, req, m)
	switch {
	case err == nil:
		// What this message asked for is committed: the ride has a driver or has
		// ended, or its next message is in the outbox.
		return sqsworker.Done()
	case errors.Is(err, ride.ErrNotFound), errors.Is(err, ride.ErrAhead):
		return sqsworker.DeadLetter(err) // the database has lost what this message is about
	case ctx.Err() != nil:
		// The worker stops, has lost the message, or has had it for HandleWithin. That
		// is no failure of the message: another worker may take it at once.
		return sqsworker.Release()
	}

	// Not later than the visibility: the ride's wake_at counts on that. After the last
	// try the worker makes it a dead letter.
	return sqsworker.RetryAfter(min(h.noDriver<<max(m.Receives-1, 0), h.retryWithin), err)
}

// deadLettered writes into the ride's history that its message is a dead letter now,
// and why.
func (h *handler) deadLettered(ctx context.Context, m sqsworker.Message, reason string) {
	req, err := decode(m.Body)
	if err != nil {
		return // it is about no ride
	}

	err = h.postgres.Do(ctx, func(ctx context.Context) error {
		return h.rides.DeadLettered(ctx, req.RideID, req.Attempt, reason, h.by())
	})
	if err != nil && !errors.Is(err, ride.ErrNotFound) {
		h.log.Error("the ride's history lacks its dead letter; the sweeper looks at the ride", "ride_id", req.RideID, "err", err)
	}
}

func (h *handler) by() string { return "worker " + h.worker }

func decode(body []byte) (event.RideRequest, error) {
	var req event.RideRequest
	e, err := event.Decode(body)
	if err != nil {
		return req, err
	}

	if e.Type != event.TypeRideRequest {
		return req, fmt.Errorf("dispatch: a %s is not a ride request", e.Type)
	}

	if err := json.Unmarshal(e.Data, &req); err != nil {
		return req, fmt.Errorf("dispatch: ride request: %w", err)
	}

	if uuid.Validate(req.RideID) != nil || req.Attempt < 1 {
		return req, fmt.Errorf("dispatch: ride %q, attempt %d: not a ride request", req.RideID, req.Attempt)
	}
	return req, nil
}
