package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/domain/ride"
	"tandem/services/internal/queue/sqsworker"
)

// rides is the part of *ride.Store that a worker uses; each call is one
// transaction.
type rides interface {
	Received(ctx context.Context, rideID string, attempt int, m ride.Receipt) (ride.Ride, error)
	Get(ctx context.Context, id string) (ride.Ride, error)
	Do(ctx context.Context, rideID string, a ride.Action, by string) (ride.Ride, error)
	Tried(ctx context.Context, rideID string, attempt int) ([]string, error)
	FreeDrivers(ctx context.Context, drivers []string) ([]string, error)
	DeadLettered(ctx context.Context, rideID string, attempt int, reason, by string) error
}

// finder gives the drivers near a pick-up that pick leaves, soonest there first.
type finder interface {
	Find(ctx context.Context, pickup geo.Point, pick func(ctx context.Context, drivers []string) ([]string, error)) ([]string, error)
}

type handler struct {
	rides    rides
	finder   finder
	worker   string
	noDriver time.Duration // a request that found nobody comes back after this
	poll     time.Duration // the ride is looked at this often while no signal comes
	// watch gives a signal, perhaps a spurious one, for each change of a ride.
	watch func(rideID string) (changed <-chan struct{}, cancel func())
	// stopping ends when the worker is told to stop, before the handlers' own
	// contexts do; an asked driver may still answer for lastMoment then.
	stopping   context.Context
	lastMoment time.Duration
	log        *slog.Logger
}

// Handle implements sqsworker.Handler: it returns Done once the ride has a
// driver, has ended, or has been sent again through the outbox.
func (h *handler) Handle(ctx context.Context, m sqsworker.Message) sqsworker.Result {
	req, err := decode(m.Body)
	if err != nil {
		return sqsworker.DeadLetter(err)
	}
	err = h.dispatch(ctx, req, m)
	switch {
	case err == nil:
		return sqsworker.Done()
	case errors.Is(err, ride.ErrNotFound):
		return sqsworker.DeadLetter(err)
	case ctx.Err() != nil:
		return sqsworker.Release()
	case m.Receives < event.MaxReceiveCount:
		return sqsworker.RetryAfter(time.Second<<m.Receives, err)
	}
	// The last try. Buried by hand, so that the ride and the dead letter have
	// their reason.
	err = fmt.Errorf("try %d of %d: %w", m.Receives, event.MaxReceiveCount, err)
	if noted := h.rides.DeadLettered(ctx, req.RideID, req.Attempt, err.Error(), h.by()); noted != nil {
		h.log.Error("the ride does not know that its message is dead; the sweeper will look", "ride_id", req.RideID, "err", noted)
	}
	return sqsworker.DeadLetter(err)
}

func (h *handler) by() string { return "worker " + h.worker }

func decode(body []byte) (event.RideRequest, error) {
	var req event.RideRequest
	e, err := event.Decode(body)
	if err != nil {
		return req, err
	}
	if e.Type != event.TypeRideRequest {
		return req, fmt.Errorf("dispatch: a %s is no ride request", e.Type)
	}
	if err := json.Unmarshal(e.Data, &req); err != nil {
		return req, fmt.Errorf("dispatch: ride request: %w", err)
	}
	if uuid.Validate(req.RideID) != nil || req.Attempt < 1 {
		return req, fmt.Errorf("dispatch: ride %q, attempt %d: not a ride request", req.RideID, req.Attempt)
	}
	return req, nil
}

// dispatch moves the ride on from whatever state it is in, by this worker or a
// crashed one, until nothing is left to do for this message: the ride has a
// driver or has ended, or a newer message speaks for it.
func (h *handler) dispatch(ctx context.Context, req event.RideRequest, m sqsworker.Message) error {
	r, err := h.rides.Received(ctx, req.RideID, req.Attempt, ride.Receipt{
		MessageID: m.ID, PID: os.Getpid(), Worker: h.worker, Receives: m.Receives,
	})
	if errors.Is(err, ride.ErrAttempt) {
		return nil
	}
	for err == nil && r.Attempt == req.Attempt && (r.State == ride.Requested || r.State == ride.Offered) {
		r, err = h.step(ctx, r)
		if overtaken(err) {
			if err = pause(ctx, overtakenPause); err == nil {
				r, err = h.rides.Get(ctx, req.RideID)
			}
		}
	}
	return err
}

// overtaken says that the ride or the driver was moved by someone else first:
// not a failure, the ride's state tells what to do.
func overtaken(err error) bool {
	for _, e := range []error{ride.ErrState, ride.ErrAttempt, ride.ErrOffer, ride.ErrTaken} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// step does the next thing for an open ride and gives it as it is then.
func (h *handler) step(ctx context.Context, r ride.Ride) (ride.Ride, error) {
	switch {
	case r.State == ride.Offered:
		return h.await(ctx, r)
	case !time.Now().Before(r.ExpiresAt):
		return h.do(ctx, r, ride.Action{Kind: ride.ActGiveUp, Reason: "no driver was free in time"})
	case h.stopping.Err() != nil:
		return h.handOver(ctx, r)
	}
	tried, err := h.rides.Tried(ctx, r.ID, r.Attempt)
	if err != nil {
		return r, err
	}
	drivers, err := h.finder.Find(ctx, r.Pickup.Point, func(ctx context.Context, near []string) ([]string, error) {
		return h.rides.FreeDrivers(ctx, without(near, tried))
	})
	if err != nil {
		return r, err
	}
	for _, d := range drivers {
		offered, err := h.do(ctx, r, ride.Action{Kind: ride.ActOffer, Driver: d})
		if !errors.Is(err, ride.ErrTaken) { // another ride was faster with this one: try the next
			return offered, err
		}
	}
	return h.do(ctx, r, ride.Action{Kind: ride.ActRequeue, Delay: h.noDriver, Reason: "no driver is free"})
}

func (h *handler) do(ctx context.Context, r ride.Ride, a ride.Action) (ride.Ride, error) {
	a.Attempt = r.Attempt
	return h.rides.Do(ctx, r.ID, a, h.by())
}

// handOver sends the request again at once, for another worker.
func (h *handler) handOver(ctx context.Context, r ride.Ride) (ride.Ride, error) {
	return h.do(ctx, r, ride.Action{Kind: ride.ActRequeue, Reason: "the worker shuts down"})
}

// await waits until the ride's open offer was answered, or ends it at its
// deadline. A worker that is told to stop gives the driver a last moment.
func (h *handler) await(ctx context.Context, r ride.Ride) (ride.Ride, error) {
	changed, cancel := h.watch(r.ID)
	defer cancel()
	stopping, lastMoment := h.stopping.Done(), (<-chan time.Time)(nil)
	for {
		now, err := h.rides.Get(ctx, r.ID)
		if err != nil || r.Offer == nil || now.Offer == nil || now.Offer.ID != r.Offer.ID {
			return now, err
		}
		left := time.Until(r.Offer.ExpiresAt)
		if left <= 0 {
			return h.do(ctx, r, ride.Action{Kind: ride.ActExpireOffer, Offer: r.Offer.ID})
		}
		timer := time.NewTimer(min(left, h.poll))
		select {
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-stopping:
			stopping, lastMoment = nil, time.After(h.lastMoment)
		case <-lastMoment:
			timer.Stop()
			return h.handOver(ctx, r)
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
		if err != nil {
			return r, err
		}
	}
}

// overtakenPause keeps a worker whose clock is ahead of the database's from
// asking without end whether an offer has expired.
const overtakenPause = 50 * time.Millisecond

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

func without(all, some []string) []string {
	var out []string
	for _, d := range all {
		if !slices.Contains(some, d) {
			out = append(out, d)
		}
	}
	return out
}
