package dispatch

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"tandem/services/domain/event"
	"tandem/services/domain/ride"
	"tandem/services/internal/queue/sqsworker"
)

// dispatch moves the ride on, from whatever state this worker or a crashed one has
// left it in, until nothing is left to do for this message: the ride has a driver
// or has ended, or it has a newer message.
func (h *handler) dispatch(ctx context.Context, req event.RideRequest, m sqsworker.Message) error {
	//excerpt:resume
	var r ride.Ride
	err := h.postgres.Do(ctx, func(ctx context.Context) (err error) {
		r, err = h.rides.Received(ctx, req.RideID, req.Attempt, receipt(m, h.worker))
		return err
	})
	if errors.Is(err, ride.ErrAttempt) {
		return nil // a copy of an old message: the newer one does the work
	}

	for err == nil && r.Attempt == req.Attempt && (r.State == ride.Requested || r.State == ride.Offered) {
		err = h.postgres.Do(ctx, func(ctx context.Context) error {
			next, err := h.step(ctx, r)
			if overtaken(err) {
				if err = pause(ctx, overtakenPause); err == nil {
					next, err = h.rides.Get(ctx, req.RideID)
				}
			}
			if err == nil {
				r = next
			}
			return err
		})
	}
	//excerpt:end
	return err
}

// receipt is what a ride's history says of a receive by this process.
func receipt(m sqsworker.Message, worker string) ride.Receipt {
	return ride.Receipt{MessageID: m.ID, PID: os.Getpid(), Worker: worker, Receives: m.Receives, SentAt: m.SentAt}
}

// overtaken reports whether someone else moved the ride or the driver first. That
// is not a failure: the ride's state tells what to do next.
func overtaken(err error) bool {
	for _, e := range []error{errLookAgain, ride.ErrState, ride.ErrAttempt, ride.ErrOffer, ride.ErrTaken} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// step does the next thing for a ride without a driver, and returns the ride as it
// is then.
func (h *handler) step(ctx context.Context, r ride.Ride) (ride.Ride, error) {
	switch {
	case r.State == ride.Offered:
		return h.await(ctx, r)
	case !time.Now().Before(r.ExpiresAt):
		return h.do(ctx, r, ride.Action{Kind: ride.ActGiveUp, Reason: "no driver was free in time"})
	case h.stopping.Err() != nil:
		return h.handOver(ctx, r)
	}

	drivers, err := h.find(ctx, r)
	if err != nil {
		return r, err
	}

	offered, err := h.offer(ctx, r, drivers)
	if !errors.Is(err, errNobody) {
		return offered, err
	}

	// Not a failure, so not a retry of the message, which would count a receive: the
	// request goes through the outbox again.
	return h.do(ctx, r, ride.Action{Kind: ride.ActRequeue, Delay: h.noDriver, Reason: "no driver is free"})
}

// errLookAgain is returned when the ride may need another step than the one that
// was under way.
var errLookAgain = errors.New("dispatch: the ride has to be looked at again")

// find returns the drivers who can be asked, soonest there first. It waits while nearby
// is away, and returns errLookAgain when it must not wait any longer.
func (h *handler) find(ctx context.Context, r ride.Ride) (drivers []candidate, err error) {
	asked, err := h.rides.Asked(ctx, r.ID)
	if err != nil {
		return nil, err
	}

	again := false
	err = h.nearby.Do(ctx, func(ctx context.Context) error {
		if again {
			// The rider may have cancelled, or the ride may have expired; and a worker that
			// is told to stop sends the request again through the outbox.
			now, err := h.rides.Get(ctx, r.ID)
			if err != nil {
				return err
			}
			if now.State != r.State || now.Attempt != r.Attempt || !time.Now().Before(now.ExpiresAt) || h.stopping.Err() != nil {
				return errLookAgain
			}
		}

		again = true
		drivers, err = h.finder.Find(ctx, r.Pickup.Point, func(ctx context.Context, near []string) ([]string, error) {
			return h.rides.FreeDrivers(ctx, without(near, asked[r.ID].Not))
		})
		return err
	})
	return drivers, err
}

// do applies an action for the attempt that the worker has a message of.
func (h *handler) do(ctx context.Context, r ride.Ride, a ride.Action) (ride.Ride, error) {
	a.Attempt = r.Attempt
	return h.rides.Do(ctx, r.ID, a, h.by())
}

// handOver sends the request again at once, for another worker.
func (h *handler) handOver(ctx context.Context, r ride.Ride) (ride.Ride, error) {
	return h.do(ctx, r, ride.Action{Kind: ride.ActRequeue, Reason: "the worker shuts down"})
}

// await waits until the ride's open offer is answered, or ends the offer at its
// deadline. A worker that is told to stop leaves the driver the time of grace.
func (h *handler) await(ctx context.Context, r ride.Ride) (ride.Ride, error) {
	changed, cancel := h.watch(r.ID)
	defer cancel()
	stopping, graceOver := h.stopping.Done(), (<-chan time.Time)(nil)

	for {
		now, err := h.rides.Get(ctx, r.ID)
		if err != nil || r.Offer == nil || now.Offer == nil || now.Offer.ID != r.Offer.ID {
			return now, err
		}

		// The process that made the offer may be another one, so its deadline comes
		// from the ride and not from a timer started here.
		left := time.Until(r.Offer.ExpiresAt)
		if left <= 0 {
			return h.do(ctx, r, ride.Action{Kind: ride.ActExpireOffer, Offer: r.Offer.ID})
		}

		// A signal may be lost, so the ride is read again after poll at the latest.
		timer := time.NewTimer(min(left, h.poll))
		select {
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-stopping:
			stopping, graceOver = nil, time.After(h.grace)
		case <-graceOver:
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

// overtakenPause is for a worker whose clock is ahead of the database's: without
// it, the worker would ask in a tight loop whether an offer has expired.
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
