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
	"tandem/services/internal/queue/sqsworker"
)

// maxReceives is the queue's maxReceiveCount. The handler buries on the last
// try itself, so that the ride and the dead letter have their reason.
const maxReceives = 5

var (
	// errDrop: the message has no work in it any more.
	errDrop = errors.New("dispatch: the ride has ended, or a newer message speaks for it")
	// errTaken: the driver or the ride was taken by someone else meanwhile.
	errTaken = errors.New("dispatch: taken meanwhile")
)

// job is a ride as a worker sees it.
type job struct {
	ID        string
	Attempt   int
	Open      bool // not assigned and not ended: there is something to do
	Pickup    geo.Point
	ExpiresAt time.Time
	Offer     *offer   // the one that waits for an answer
	Tried     []string // drivers that had an offer in this attempt
}

type offer struct {
	ID        string
	ExpiresAt time.Time
}

// board is package ride as dispatch needs it: each call is one transaction.
type board interface {
	// Received writes the receive as the ride's event; errDrop.
	Received(ctx context.Context, req event.RideRequest, m sqsworker.Message) (job, error)
	// Get gives the ride as it is; errDrop where it is of another attempt.
	Get(ctx context.Context, j job) (job, error)
	// Free leaves those drivers that are on duty and have neither offer nor ride.
	Free(ctx context.Context, drivers []string) ([]string, error)
	// Offer offers the ride to a driver; errTaken.
	Offer(ctx context.Context, j job, driver string) error
	// ExpireOffer ends the open offer where its deadline has passed; errTaken
	// where it was answered first.
	ExpireOffer(ctx context.Context, j job) error
	// Requeue sends the request again through the outbox, attempt + 1.
	Requeue(ctx context.Context, j job, delay time.Duration, reason string) error
	// Unfulfilled closes a ride that found no driver in time.
	Unfulfilled(ctx context.Context, j job) error
	// Dead writes that the ride's message goes to the dead-letter queue.
	Dead(ctx context.Context, req event.RideRequest, reason string) error
	// Deleted writes that the message is off the queue.
	Deleted(ctx context.Context, req event.RideRequest, messageID string) error
	// Changed is signalled, perhaps spuriously, when the ride changes.
	Changed(rideID string) (signal <-chan struct{}, cancel func())
}

// finder gives the free drivers near a pick-up but those tried, soonest there
// first.
type finder interface {
	Find(ctx context.Context, pickup geo.Point, tried []string, free freeFunc) ([]string, error)
}

type freeFunc func(ctx context.Context, drivers []string) ([]string, error)

type handler struct {
	board      board
	finder     finder
	noDriver   time.Duration   // a request that found nobody comes back after this
	poll       time.Duration   // the ride is looked at this often while no signal comes
	stopping   context.Context // ends when the worker is told to stop, before the handlers' own
	lastMoment time.Duration   // a driver may still answer this long then
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
	case err == nil, errors.Is(err, errDrop):
		return sqsworker.Done()
	case ctx.Err() != nil:
		return sqsworker.Release()
	case m.Receives < maxReceives:
		return sqsworker.RetryAfter(time.Second<<min(m.Receives, maxReceives), err)
	}
	err = fmt.Errorf("try %d of %d: %w", m.Receives, maxReceives, err)
	if dead := h.board.Dead(ctx, req, err.Error()); dead != nil {
		h.log.Error("the ride does not know that its message is dead; the sweeper will look", "ride_id", req.RideID, "err", dead)
	}
	return sqsworker.DeadLetter(err)
}

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

// dispatch moves the ride on from whatever state it is in, its own or a
// crashed worker's, until nothing is left to do for this message.
func (h *handler) dispatch(ctx context.Context, req event.RideRequest, m sqsworker.Message) error {
	j, err := h.board.Received(ctx, req, m)
	for err == nil && j.Open {
		var finished bool
		finished, err = h.step(ctx, j)
		if finished && err == nil {
			return nil
		}
		if errors.Is(err, errTaken) {
			err = pause(ctx, takenPause)
		}
		if err == nil {
			j, err = h.board.Get(ctx, j)
		}
	}
	return err
}

// step does one thing for an open ride; finished: this message is done with.
func (h *handler) step(ctx context.Context, j job) (finished bool, err error) {
	switch {
	case j.Offer != nil:
		return h.await(ctx, j)
	case !time.Now().Before(j.ExpiresAt):
		return true, h.board.Unfulfilled(ctx, j)
	case h.stopping.Err() != nil:
		return true, h.board.Requeue(ctx, j, 0, "the worker shuts down")
	}
	drivers, err := h.finder.Find(ctx, j.Pickup, j.Tried, h.board.Free)
	if err != nil {
		return false, err
	}
	for _, d := range drivers {
		// Taken: another ride was faster with this driver, or this ride has
		// moved. Trying the next one costs one refused offer and tells which.
		if err := h.board.Offer(ctx, j, d); !errors.Is(err, errTaken) {
			return false, err
		}
	}
	return true, h.board.Requeue(ctx, j, h.noDriver, "no driver is free")
}

// await waits until the ride's offer is no longer open. A worker that is told
// to stop gives the driver a last moment, then leaves the ride to another.
func (h *handler) await(ctx context.Context, j job) (finished bool, err error) {
	changed, cancel := h.board.Changed(j.ID)
	defer cancel()
	stopping, lastMoment := h.stopping.Done(), (<-chan time.Time)(nil)
	for {
		now, err := h.board.Get(ctx, j)
		if err != nil || !now.Open || now.Offer == nil || now.Offer.ID != j.Offer.ID {
			return false, err
		}
		left := time.Until(j.Offer.ExpiresAt)
		if left <= 0 {
			return false, h.board.ExpireOffer(ctx, j)
		}
		timer := time.NewTimer(min(left, h.poll))
		select {
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-stopping:
			stopping, lastMoment = nil, time.After(h.lastMoment)
		case <-lastMoment:
			timer.Stop()
			return true, h.board.Requeue(ctx, j, 0, "the worker shuts down")
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
		if err != nil {
			return false, err
		}
	}
}

// takenPause keeps a worker whose clock is ahead of the database's from asking
// without end.
const takenPause = 50 * time.Millisecond

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
