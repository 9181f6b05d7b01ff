package ride

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tandem/services/domain/event"
	"tandem/services/internal/queue/outbox"
)

// Do applies an action in a transaction of its own.
func (s *Store) Do(ctx context.Context, rideID string, a Action, by string) (r Ride, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		r, err = s.Apply(ctx, tx, rideID, a, by)
		return err
	})
	return r, err
}

// Apply moves a ride in the caller's transaction: it locks the ride, asks Next,
// writes state, event and messages. by says who acts, for the ride's history.
// Errors: ErrNotFound, ErrAttempt, ErrState, ErrDriver, ErrOffer, ErrTaken;
// after an error the transaction must be rolled back.
func (s *Store) Apply(ctx context.Context, tx pgx.Tx, rideID string, a Action, by string) (Ride, error) {
	r, err := getRide(ctx, tx, `SELECT `+rideColumns+fromRides+`WHERE r.id = $1 FOR UPDATE OF r`, rideID)
	if err != nil {
		return r, err
	}
	if a.Attempt != 0 && a.Attempt != r.Attempt {
		return r, fmt.Errorf("%w: %d, not %d", ErrAttempt, r.Attempt, a.Attempt)
	}
	if r, err = s.currentOffer(ctx, tx, r); err != nil {
		return r, err
	}
	if err := r.check(a); err != nil {
		return r, err
	}
	to, err := Next(r.State, a)
	if err != nil {
		return r, err
	}
	m := &move{store: s, tx: tx, ride: r, from: r, action: a, by: by, data: map[string]any{}}
	m.ride.State = to
	if err := m.run(ctx); err != nil {
		return r, err
	}
	return m.ride, nil
}

// currentOffer reads the open offer again under the ride's lock: the join of
// the locking read may have seen the one before.
func (s *Store) currentOffer(ctx context.Context, tx pgx.Tx, r Ride) (Ride, error) {
	r.Offer = nil
	var o Offer
	err := tx.QueryRow(ctx, `SELECT id, driver_id, expires_at FROM ride.offers WHERE ride_id = $1 AND state = 'open'`, r.ID).
		Scan(&o.ID, &o.DriverID, &o.ExpiresAt)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return r, nil
	case err != nil:
		return r, fmt.Errorf("ride: open offer: %w", err)
	}
	r.Offer = &o
	return r, nil
}

// check says whether this actor may do this: the offer is the open one, the
// driver the ride's own.
func (r Ride) check(a Action) error {
	switch a.Kind {
	case ActAccept, ActRefuse, ActExpireOffer:
		if r.Offer == nil || a.Offer != "" && r.Offer.ID != a.Offer {
			return ErrOffer
		}
		if a.Driver != "" && r.Offer.DriverID != a.Driver {
			return ErrDriver
		}
	case ActRequeue:
		if (r.State == Assigned || r.State == Arrived) && !a.LoseDriver {
			return fmt.Errorf("%w: a driver has accepted the ride", ErrState)
		}
	case ActArrive, ActPickUp, ActDropOff:
		if a.Driver != "" && r.DriverID != a.Driver {
			return ErrDriver
		}
	}
	return nil
}

// move is one action on its way into the database.
type move struct {
	store  *Store
	tx     pgx.Tx
	ride   Ride // as it will be
	from   Ride // as it was
	action Action
	by     string
	data   map[string]any // the event's
	now    time.Time
}

func (m *move) run(ctx context.Context) error {
	if err := m.tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&m.now); err != nil {
		return fmt.Errorf("ride: clock: %w", err)
	}
	if err := m.effects(ctx); err != nil {
		return err
	}
	if err := m.writeRide(ctx); err != nil {
		return err
	}
	if err := m.writeMessages(ctx); err != nil {
		return err
	}
	return writeEvent(ctx, m.tx, m.ride, m.action.Kind.Event(), m.by, m.data, m.from.DriverID)
}

// effects works out what the action changes beside the state.
func (m *move) effects(ctx context.Context) error {
	t, now := m.store.times, m.now
	switch m.action.Kind {
	case ActOffer:
		return m.offer(ctx)
	case ActAccept:
		if now.After(m.from.Offer.ExpiresAt) {
			return ErrOffer
		}
		m.ride.AssignedAt, m.ride.Offer = &now, nil
		m.ride.wake(now.Add(t.ArriveWithin))
		m.data["driver_id"], m.data["plate"], m.data["offer_id"] = m.ride.DriverID, VehicleOf(m.ride.DriverID).Plate, m.from.Offer.ID
		return m.closeOffer(ctx, "accepted", "open")
	case ActRefuse, ActExpireOffer:
		if m.action.Kind == ActExpireOffer && !now.After(m.from.Offer.ExpiresAt) {
			return fmt.Errorf("%w: its deadline has not passed", ErrState)
		}
		m.data["driver_id"], m.data["offer_id"] = m.from.Offer.DriverID, m.from.Offer.ID
		m.ride.DriverID, m.ride.Offer = "", nil
		m.ride.wakeLater(now.Add(t.Visibility + t.Margin))
		state := "refused"
		if m.action.Kind == ActExpireOffer {
			state = "expired"
		}
		return m.closeOffer(ctx, state, "open")
	case ActArrive:
		m.ride.ArrivedAt = &now
		m.ride.wake(now.Add(t.ArriveWithin))
	case ActPickUp:
		m.ride.PickedUpAt = &now
		m.ride.wake(now.Add(t.TripWithin))
	case ActDropOff, ActEnd, ActCancel, ActGiveUp:
		return m.end(ctx)
	case ActRequeue:
		return m.requeue(ctx)
	}
	return nil
}

func (m *move) offer(ctx context.Context) error {
	var onDuty bool
	err := m.tx.QueryRow(ctx, `SELECT on_duty FROM ride.drivers WHERE driver_id = $1 FOR SHARE`, m.action.Driver).Scan(&onDuty)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !onDuty {
		return fmt.Errorf("%w: %s is not on duty", ErrTaken, m.action.Driver)
	}
	if err != nil {
		return fmt.Errorf("ride: driver's duty: %w", err)
	}
	o := Offer{ID: newID(), DriverID: m.action.Driver, ExpiresAt: m.now.Add(m.store.times.Offer)}
	_, err = m.tx.Exec(ctx, `INSERT INTO ride.offers (id, ride_id, driver_id, attempt, state, made_at, expires_at)
		VALUES ($1, $2, $3, $4, 'open', $5, $6)`, o.ID, m.ride.ID, o.DriverID, m.ride.Attempt, m.now, o.ExpiresAt)
	if err != nil {
		return fmt.Errorf("ride: offer: %w", err)
	}
	m.ride.DriverID, m.ride.Offer = o.DriverID, &o
	m.ride.wakeLater(o.ExpiresAt.Add(m.store.times.Visibility + m.store.times.Margin))
	m.data["offer_id"], m.data["driver_id"], m.data["expires_at"] = o.ID, o.DriverID, o.ExpiresAt
	return nil
}

func (m *move) closeOffer(ctx context.Context, to string, from ...string) error {
	_, err := m.tx.Exec(ctx, `UPDATE ride.offers SET state = $2 WHERE ride_id = $1 AND state = ANY($3)`, m.ride.ID, to, from)
	if err != nil {
		return fmt.Errorf("ride: close offer: %w", err)
	}
	return nil
}

func (m *move) end(ctx context.Context) error {
	m.ride.EndedAt, m.ride.wakeAt, m.ride.EndReason, m.ride.Offer = &m.now, nil, m.action.Reason, nil
	if m.action.Reason != "" {
		m.data["reason"] = m.action.Reason
	}
	if m.from.State == Offered {
		m.ride.DriverID = ""
	}
	return m.closeOffer(ctx, "withdrawn", "open")
}

// requeue sends the request again: attempt + 1, no driver.
func (m *move) requeue(ctx context.Context) error {
	t := m.store.times
	m.ride.Attempt++
	m.ride.DriverID, m.ride.Offer, m.ride.AssignedAt, m.ride.ArrivedAt = "", nil, nil, nil
	m.data["reason"], m.data["delay_s"] = m.action.Reason, m.action.Delay.Seconds()
	if m.from.State == Assigned || m.from.State == Arrived {
		m.data["lost_driver_id"] = m.from.DriverID
		if later := m.now.Add(t.ExpiresAfter); later.After(m.ride.ExpiresAt) {
			m.ride.ExpiresAt = later // looking for a driver begins anew
		}
	}
	m.ride.wake(requestWake(m.now, m.action.Delay, t.Visibility, t.Margin))
	if err := m.closeOffer(ctx, "withdrawn", "open"); err != nil {
		return err
	}
	if err := m.closeOffer(ctx, "lost", "accepted"); err != nil {
		return err
	}
	return addRequest(ctx, m.tx, m.ride, m.action.Delay, m.now)
}

// requestWake is when a request that was just promised to the queue cannot come
// back by itself any more.
func requestWake(now time.Time, delay, visibility, margin time.Duration) time.Time {
	return now.Add(delay + event.MaxReceiveCount*visibility + margin)
}

func (r *Ride) wake(at time.Time) { r.wakeAt = &at }

// wakeLater never moves wake_at forward.
func (r *Ride) wakeLater(at time.Time) {
	if r.wakeAt == nil || at.After(*r.wakeAt) {
		r.wakeAt = &at
	}
}

func (m *move) writeRide(ctx context.Context) error {
	r := m.ride
	_, err := m.tx.Exec(ctx, `UPDATE ride.rides SET state = $2, attempt = $3, driver_id = nullif($4, ''), assigned_at = $5,
			arrived_at = $6, picked_up_at = $7, ended_at = $8, expires_at = $9, wake_at = $10, end_reason = $11
		WHERE id = $1`, r.ID, r.State, r.Attempt, r.DriverID, r.AssignedAt, r.ArrivedAt, r.PickedUpAt, r.EndedAt, r.ExpiresAt, r.wakeAt, r.EndReason)
	if isUnique(err, "one_live_ride_of_a_driver") || isUnique(err, "one_live_driver_of_a_ride") {
		return fmt.Errorf("%w: %s", ErrTaken, r.DriverID)
	}
	if err != nil {
		return fmt.Errorf("ride: write: %w", err)
	}
	m.ride.Vehicle = VehicleOf(r.DriverID)
	return nil
}

// writeMessages promises what a rider should hear of.
func (m *move) writeMessages(ctx context.Context) error {
	notice := event.RideNotice{RideID: m.ride.ID, RiderID: m.ride.RiderID, DriverID: m.ride.DriverID, Reason: m.action.Reason}
	if m.ride.Vehicle != nil {
		notice.Plate = m.ride.Vehicle.Plate
	}
	var typ string
	switch m.action.Kind {
	case ActAccept:
		typ = event.TypeRideAssigned
	case ActArrive:
		typ = event.TypeRideArrived
	case ActPickUp:
		typ = event.TypeRidePickedUp
	case ActDropOff, ActEnd:
		typ = event.TypeRideCompleted
	case ActCancel:
		typ = event.TypeRideCancelled
	case ActGiveUp:
		typ = event.TypeRideUnfulfilled
	case ActRequeue:
		if m.from.State != Assigned && m.from.State != Arrived {
			return nil // nobody was promised to the rider
		}
		typ = event.TypeRideRequeued
	default:
		return nil
	}
	return addMessage(ctx, m.tx, event.QueueNotifications, m.ride.ID, typ, 0, m.now, notice)
}

// addRequest promises a ride.request of the ride's attempt.
func addRequest(ctx context.Context, tx pgx.Tx, r Ride, delay time.Duration, now time.Time) error {
	return addMessage(ctx, tx, event.QueueRideRequests, r.ID, event.TypeRideRequest, delay, now, event.RideRequest{RideID: r.ID, Attempt: r.Attempt})
}

func addMessage(ctx context.Context, tx pgx.Tx, queue, rideID, typ string, delay time.Duration, now time.Time, data any) error {
	e, err := event.New(newID(), typ, now, data)
	if err != nil {
		return err
	}
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("ride: encode %s: %w", typ, err)
	}
	return Outbox().Add(ctx, tx, outbox.Message{ID: e.ID, Queue: queue, Key: rideID, Delay: delay, Body: body})
}

// writeEvent writes a line of the ride's history and tells who listens.
func writeEvent(ctx context.Context, tx pgx.Tx, r Ride, kind EventKind, by string, data map[string]any, otherDriver string) error {
	b, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("ride: encode event: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO ride.ride_events (ride_id, kind, at, by, attempt, data) VALUES ($1, $2, clock_timestamp(), $3, $4, $5)`,
		r.ID, kind, by, r.Attempt, string(b))
	if err != nil {
		return fmt.Errorf("ride: write event: %w", err)
	}
	return notify(ctx, tx, r.ID, r.DriverID, otherDriver)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
