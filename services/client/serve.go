package client

import (
	"context"
	"time"

	"tandem/services/domain/geo"
)

// act does the next thing that the driver's ride or offer wants.
func (d *Driver) act(ctx context.Context, now time.Time) {
	// A call is tried again for as long as its context lives: the bound lets the
	// car drive on, and a newer state be looked at.
	actCtx, cancel := context.WithTimeout(ctx, actWithin)
	defer cancel()

	st := d.State()
	if st.Ride != nil || st.Offer != nil {
		d.leaving = time.Time{} // not now
	}

	var err error
	switch {
	case st.Ride != nil:
		err = d.serve(actCtx, now, *st.Ride)
	case st.Offer != nil:
		err = d.answer(actCtx, now, *st.Offer)
	default:
		err = d.idle(actCtx, now, st)
	}

	if err == nil || ctx.Err() != nil {
		return
	}

	// The offer went to somebody else, the ride was cancelled, or no answer came:
	// what booking says now decides the next step.
	d.Log.Debug("a driver's action failed; it looks at its state", "driver", d.session.Subject(), "err", err)
	d.ask(ctx)
}

func (d *Driver) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, actWithin)
	defer cancel()

	d.lastAsk = time.Now()
	if st, err := d.session.DriverState(ctx); err == nil {
		d.setState(st)
	}
}

// answer takes or refuses an offer when it was thought about for long enough.
func (d *Driver) answer(ctx context.Context, now time.Time, o Offer) error {
	if d.retiring.Load() {
		return d.refuse(ctx, o)
	}
	if d.answering != o.ID {
		d.answering = o.ID
		d.answerAt = now.Add(about(d.policy.Think, o))
	}
	if now.Before(d.answerAt) {
		return nil
	}

	if about(d.policy.Refuse, o) {
		return d.refuse(ctx, o)
	}

	ride, err := d.session.Accept(ctx, o.ID)
	if err != nil {
		return err
	}
	return d.serve(ctx, now, ride)
}

func (d *Driver) refuse(ctx context.Context, o Offer) error {
	if err := d.session.Refuse(ctx, o.ID); err != nil {
		return err
	}
	d.forget(o.ID)
	return nil
}

// forget drops a refused offer, unless a newer one was heard of meanwhile.
func (d *Driver) forget(offerID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state.Offer != nil && d.state.Offer.ID == offerID {
		d.state.Offer = nil
	}
}

// serve brings a ride as far as it goes now.
func (d *Driver) serve(ctx context.Context, now time.Time, r Ride) (err error) {
	if r.State == Assigned && d.reach(r.ID+"/pickup", r.Pickup.Point) {
		d.boardAt = now.Add(choice(d.policy.Board, 0))
		if r, err = d.session.Arrive(ctx, r.ID); err != nil {
			return err
		}
	}

	if r.State == Arrived && !now.Before(d.boardAt) {
		if r, err = d.session.PickUp(ctx, r.ID); err != nil {
			return err
		}
	}

	if r.State == PickedUp && d.reach(r.ID+"/dropoff", r.Dropoff.Point) {
		if r, err = d.session.DropOff(ctx, r.ID); err != nil {
			return err
		}
		d.rides++
	}

	d.setRide(r)
	if r.Terminal() && d.OnEnd != nil {
		d.OnEnd(r)
	}
	return nil
}

// setRide keeps a ride while there is something to do for it.
func (d *Driver) setRide(r Ride) {
	d.mu.Lock()
	defer d.mu.Unlock()

	d.state.Offer, d.state.Ride = nil, nil
	if r.State == Assigned || r.State == Arrived || r.State == PickedUp {
		d.state.Ride = &r
	}
}

// idle cruises, and goes off duty for a while when the policy says so.
func (d *Driver) idle(ctx context.Context, now time.Time, st DriverState) error {
	if d.retiring.Load() {
		return d.retire(ctx, now)
	}
	if !now.Before(d.offUntil) {
		if err := d.chooseDuty(ctx, now, st); err != nil {
			return err
		}

		if d.policy.AskEvery > 0 && now.Sub(d.lastAsk) > d.policy.AskEvery {
			d.ask(ctx)
		}
	}

	if d.policy.Cruise != nil && d.mover.Arrived() {
		d.routeTo(d.policy.Cruise())
	}
	return nil
}

// retire goes off duty, once.
func (d *Driver) retire(ctx context.Context, now time.Time) error {
	if d.isRetired() || !d.leave(now) {
		return nil
	}

	next, err := d.session.Duty(ctx, false)
	if err != nil {
		return err // an offer came in between: it is refused first
	}
	d.setState(next)
	close(d.retired)
	return nil
}

func (d *Driver) isRetired() bool {
	select {
	case <-d.retired:
		return true
	default:
		return false
	}
}

// chooseDuty goes back on duty, or on a break.
func (d *Driver) chooseDuty(ctx context.Context, now time.Time, st DriverState) error {
	if st.DriverID != "" && !st.OnDuty {
		next, err := d.session.Duty(ctx, true)
		if err == nil {
			d.setState(next)
		}
		return err
	}

	if d.pause <= 0 {
		d.pause = d.policy.pause(d.rides)
	}
	if d.pause <= 0 || !d.leave(now) {
		return nil
	}
	next, err := d.session.Duty(ctx, false)
	if err != nil {
		return err // an offer came in between: it is answered first
	}

	d.setState(next)
	d.offUntil, d.rides = now.Add(d.pause), 0
	d.leaving, d.pause = time.Time{}, 0
	return nil
}

// reach leads the car to a place and reports whether it has arrived.
func (d *Driver) reach(target string, to geo.Point) bool {
	if d.target != target {
		d.target = target
		d.routeTo(to)
	}
	return d.mover.Arrived() || geo.Distance(d.mover.At, to) < atHand
}

func (d *Driver) routeTo(to geo.Point) {
	route, err := d.streets.Route(d.mover.At, to)
	if err != nil {
		// A place that no street leads to is driven to as the crow flies: the ride is
		// served anyhow.
		d.mover.Follow([]geo.Point{d.mover.At, to}, nil)
		return
	}

	// Both ends are added, which may lie beside the street.
	points := append(append([]geo.Point{d.mover.At}, route.Points...), to)
	d.mover.Follow(points, append([]float64{0}, route.SpeedsMPS...))
}
