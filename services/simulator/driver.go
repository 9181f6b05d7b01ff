package simulator

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"tandem/services/client"
	"tandem/services/domain/geo"
	"tandem/services/internal/problem"
)

const (
	fixEvery    = time.Second
	actWithin   = 20 * time.Second
	flushWithin = 10 * time.Second
	refuseShare = 0.10
	// maxWaiting is ten minutes of fixes: what an app keeps while it is offline.
	maxWaiting = 600
	maxShown   = 60 // metres a second: location refuses what no car can drive
	atHand     = 25 // metres: as good as there
)

// driver is one car and the person in it.
type driver struct {
	sim     *sim
	session *client.Session
	rng     *rand.Rand
	mover   client.Mover
	track   *client.Track

	mu    sync.Mutex
	state client.DriverState // as last heard of from booking

	target    string    // what the route leads to: a ride's id and state
	answerAt  time.Time // when the open offer is answered
	answering string    // that offer's id
	boardAt   time.Time // when the rider is in
	offUntil  time.Time // off duty until then
	ridesLeft int       // until the next break
}

func newDriver(s *sim, id string, number int) *driver {
	rng := s.rng("driver", number)
	d := &driver{sim: s, session: s.driverSession(id), rng: rng, ridesLeft: 2 + rng.IntN(6)}
	d.mover.At = s.city.RandomPlace(rng, s.hour()).Point
	return d
}

// run drives until ctx ends. A call that fails is tried again at the next fix.
func (d *driver) run(ctx context.Context) error {
	last, err := d.session.LastSeq(ctx)
	if err != nil {
		return err
	}
	d.track = client.NewTrack(d.session, last, maxWaiting)
	d.track.OnAnswer = func(sent []client.Point, a client.PointsAnswer) { d.sim.recordPoints(d.session.Subject(), sent, a) }
	if _, err := d.session.Duty(ctx, true); err != nil {
		return err
	}
	go func() {
		if err := d.session.Watch(ctx, d.hear); err != nil && ctx.Err() == nil {
			d.sim.log.Warn("a driver hears nothing more from booking", "driver", d.session.Subject(), "err", err)
		}
	}()
	d.sim.onRoad.Add(1)
	defer d.sim.onRoad.Add(-1)
	tick := time.NewTicker(fixEvery)
	defer tick.Stop()
	before := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			d.step(ctx, now, now.Sub(before))
			before = now
		}
	}
}

func (d *driver) hear(st client.DriverState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state = st
}

func (d *driver) heard() client.DriverState {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

// step is one second of a driver's day: decide, move, send the fix.
func (d *driver) step(ctx context.Context, now time.Time, dt time.Duration) {
	st := d.heard()
	actCtx, cancel := context.WithTimeout(ctx, actWithin)
	defer cancel()
	var err error
	switch {
	case st.Ride != nil:
		err = d.serve(actCtx, now, *st.Ride)
	case st.Offer != nil:
		err = d.answer(actCtx, now, *st.Offer)
	default:
		err = d.idle(actCtx, now, st)
	}
	if err != nil && ctx.Err() == nil {
		d.sim.log.Debug("a driver's action failed; it is tried again in a second", "driver", d.session.Subject(), "err", err)
		d.refresh(actCtx)
	}
	d.mover.Drive(dt, d.sim.cfg.Speed)
	if now.Before(d.offUntil) {
		return
	}
	d.sendFix(ctx, now)
}

func (d *driver) sendFix(ctx context.Context, now time.Time) {
	_ = d.track.Add(client.Point{ // ErrFull: offline for ten minutes; newer fixes are dropped
		At: now.UnixMilli(), Lat: d.mover.At.Lat, Lon: d.mover.At.Lon,
		Speed: min(d.mover.Speed, maxShown), Heading: d.mover.Heading, Accuracy: 4 + 4*d.rng.Float64(),
	})
	ctx, cancel := context.WithTimeout(ctx, flushWithin)
	defer cancel()
	if err := d.track.Flush(ctx); err != nil && ctx.Err() == nil && !client.Temporary(err) {
		d.sim.log.Warn("points were not taken", "driver", d.session.Subject(), "err", err)
	}
}

// refresh asks booking for the state after a surprise.
func (d *driver) refresh(ctx context.Context) {
	if st, err := d.session.DriverState(ctx); err == nil {
		d.hear(st)
	}
}

// answer takes or refuses an offer after 1 to 6 seconds.
func (d *driver) answer(ctx context.Context, now time.Time, o client.Offer) error {
	if d.answering != o.ID {
		d.answering = o.ID
		d.answerAt = now.Add(time.Second + time.Duration(d.rng.Float64()*5*float64(time.Second)))
	}
	if now.Before(d.answerAt) {
		return nil
	}
	if d.rng.Float64() < refuseShare {
		err := d.session.Refuse(ctx, o.ID)
		d.clearOffer(o.ID)
		return ignoreLate(err)
	}
	ride, err := d.session.Accept(ctx, o.ID)
	d.clearOffer(o.ID)
	if err != nil {
		return ignoreLate(err)
	}
	d.setRide(&ride)
	return nil
}

// ignoreLate: the offer went to somebody else meanwhile, or was withdrawn.
func ignoreLate(err error) error {
	if client.IsCode(err, problem.Gone) || client.IsCode(err, problem.NotFound) || client.IsCode(err, problem.Conflict) {
		return nil
	}
	return err
}

func (d *driver) clearOffer(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state.Offer != nil && d.state.Offer.ID == id {
		d.state.Offer = nil
	}
}

func (d *driver) setRide(r *client.Ride) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r != nil && r.Terminal() {
		r = nil
	}
	d.state.Ride = r
}

// serve brings a ride one step further.
func (d *driver) serve(ctx context.Context, now time.Time, r client.Ride) error {
	switch r.State {
	case client.Assigned:
		if !d.reach(r.ID+r.State, r.Pickup.Point) {
			return nil
		}
		d.boardAt = now.Add(2*time.Second + time.Duration(d.rng.IntN(3000))*time.Millisecond)
		return d.advance(d.session.Arrive(ctx, r.ID))
	case client.Arrived:
		if now.Before(d.boardAt) {
			return nil
		}
		return d.advance(d.session.PickUp(ctx, r.ID))
	case client.PickedUp:
		if !d.reach(r.ID+r.State, r.Dropoff.Point) {
			return nil
		}
		d.ridesLeft--
		return d.advance(d.session.DropOff(ctx, r.ID))
	}
	d.setRide(nil)
	return nil
}

func (d *driver) advance(r client.Ride, err error) error {
	if err == nil {
		d.setRide(&r)
	}
	return err
}

// reach leads the car to a place and says whether it is there.
func (d *driver) reach(target string, to geo.Point) bool {
	if d.target != target {
		d.target = target
		d.routeTo(to)
	}
	return d.mover.Arrived() || geo.Distance(d.mover.At, to) < atHand
}

func (d *driver) routeTo(to geo.Point) {
	route, err := d.sim.city.Route(d.mover.At, to)
	if err != nil {
		d.mover.Follow([]geo.Point{d.mover.At, to}, nil)
		return
	}
	points := append(append([]geo.Point{d.mover.At}, route.Points...), to)
	speeds := append([]float64{0}, route.SpeedsMPS...)
	d.mover.Follow(points, speeds)
}

// idle cruises, and goes off duty for a while after some rides.
func (d *driver) idle(ctx context.Context, now time.Time, st client.DriverState) error {
	if !d.offUntil.IsZero() && now.After(d.offUntil) {
		if _, err := d.session.Duty(ctx, true); err != nil {
			return err
		}
		d.offUntil = time.Time{}
		d.ridesLeft = 2 + d.rng.IntN(6)
	}
	if d.ridesLeft <= 0 && d.offUntil.IsZero() {
		next, err := d.session.Duty(ctx, false)
		if err != nil {
			return ignoreLate(err) // an offer came in between: serve it first
		}
		d.hear(next)
		d.offUntil = now.Add(30*time.Second + time.Duration(d.rng.IntN(60))*time.Second)
		return nil
	}
	if st.DriverID != "" && !st.OnDuty && d.offUntil.IsZero() {
		next, err := d.session.Duty(ctx, true)
		if err != nil {
			return err
		}
		d.hear(next)
	}
	if d.mover.Arrived() {
		d.routeTo(d.sim.city.RandomPlace(d.rng, d.sim.hour()).Point)
	}
	return nil
}
