package ride

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/event"
)

// move is one action on its way into the database, under the ride's lock.
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
	// The database's clock, because the sweeper compares with it; and not now(),
	// which is when the transaction began, before it waited for the lock.
	if err := m.tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&m.now); err != nil {
		return fmt.Errorf("ride: clock: %w", err)
	}

	if err := m.effects(ctx); err != nil {
		return err
	}
	if err := m.writeRide(ctx); err != nil {
		return err
	}
	if err := m.writeNotice(ctx); err != nil {
		return err
	}
	return writeEvent(ctx, m.tx, m.ride, m.action.Kind.Event(), m.by, m.data, m.from.DriverID)
}

// effects works out what the action changes beside the state.
func (m *move) effects(ctx context.Context) error {
	switch m.action.Kind {
	case ActOffer:
		return m.offer(ctx)
	case ActAccept:
		return m.accept(ctx)
	case ActRefuse, ActExpireOffer:
		return m.refuse(ctx)
	case ActArrive:
		m.ride.ArrivedAt = &m.now
		m.ride.wake(m.now.Add(m.store.times.ArriveWithin))
	case ActPickUp:
		m.ride.PickedUpAt = &m.now
		m.ride.wake(m.now.Add(m.store.times.TripWithin))
	case ActDropOff, ActEnd, ActCancel, ActGiveUp:
		return m.end(ctx)
	case ActRequeue:
		return m.requeue(ctx)
	}
	return nil
}

// offer opens an offer to a driver. Whether the driver is free is not checked here:
// a unique index decides it when the ride is written, also between concurrent offers.
func (m *move) offer(ctx context.Context) error {
	// The shared lock keeps the driver from going off duty until the commit.
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
	if isUnique(err, "one_live_driver_of_a_ride") {
		return fmt.Errorf("%w: %s has an offer or a driver", ErrTaken, m.ride.ID)
	}
	if err != nil {
		return fmt.Errorf("ride: offer: %w", err)
	}

	m.ride.DriverID, m.ride.Offer = o.DriverID, &o
	m.ride.wakeLater(o.ExpiresAt.Add(m.store.times.Visibility + m.store.times.Margin))
	m.data["offer_id"], m.data["driver_id"], m.data["expires_at"] = o.ID, o.DriverID, o.ExpiresAt
	return nil
}

func (m *move) accept(ctx context.Context) error {
	// The deadline is the last word, also before anybody has expired the offer:
	// the worker may be about to offer the ride to the next driver.
	if m.now.After(m.from.Offer.ExpiresAt) {
		return ErrOffer
	}

	m.ride.AssignedAt, m.ride.Offer = &m.now, nil
	m.ride.wake(m.now.Add(m.store.times.ArriveWithin))
	m.data["driver_id"], m.data["plate"], m.data["offer_id"] = m.ride.DriverID, VehicleOf(m.ride.DriverID).Plate, m.from.Offer.ID
	return m.closeOffer(ctx, "accepted", "open")
}

// refuse is for a refused offer and for one past its deadline.
func (m *move) refuse(ctx context.Context) error {
	state := "refused"
	if m.action.Kind == ActExpireOffer {
		if !m.now.After(m.from.Offer.ExpiresAt) {
			return fmt.Errorf("%w: its deadline has not passed", ErrState)
		}
		state = "expired"
	}

	m.data["driver_id"], m.data["offer_id"] = m.from.Offer.DriverID, m.from.Offer.ID
	m.ride.DriverID, m.ride.Offer = "", nil
	m.ride.wakeLater(m.now.Add(m.store.times.Visibility + m.store.times.Margin))
	return m.closeOffer(ctx, state, "open")
}

func (m *move) closeOffer(ctx context.Context, to string, from ...string) error {
	_, err := m.tx.Exec(ctx, `UPDATE ride.offers SET state = $2 WHERE ride_id = $1 AND state = ANY($3)`, m.ride.ID, to, from)
	if err != nil {
		return fmt.Errorf("ride: close offer: %w", err)
	}
	return nil
}

func (m *move) end(ctx context.Context) error {
	// The database's clock decides: a worker's that is ahead would close a ride
	// that still has time.
	if m.action.Kind == ActGiveUp && m.now.Before(m.ride.ExpiresAt) {
		return fmt.Errorf("%w: its end has not come", ErrState)
	}

	m.ride.EndedAt, m.ride.wakeAt, m.ride.EndReason, m.ride.Offer = &m.now, nil, m.action.Reason, nil
	m.ride.EndedByOperator = m.action.Operator
	if m.action.Reason != "" {
		m.data["reason"] = m.action.Reason
	}

	// A driver who was only asked is not the ride's driver.
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

	// A rider who lost the driver gets the full time to find another, but not for
	// ever: every driver may vanish.
	if m.from.State.accepted() {
		m.data["lost_driver_id"] = m.from.DriverID
		later, last := m.now.Add(t.ExpiresAfter), m.ride.RequestedAt.Add(t.LifeWithin)
		if later.After(last) {
			later = last
		}
		if later.Before(m.now) {
			later = m.now // it had a driver until now, so it was not late before
		}
		if later.After(m.ride.ExpiresAt) {
			m.ride.ExpiresAt = later
		}
	}

	m.ride.wake(requestWake(m.now, m.action.Delay, t.Visibility, t.Margin))

	if err := m.closeOffer(ctx, "withdrawn", "open"); err != nil {
		return err
	}
	if err := m.closeOffer(ctx, "lost", "accepted"); err != nil {
		return err
	}

	// In the transaction that raised the attempt: there is a message for each
	// attempt, and an attempt for each message.
	return addRequest(ctx, m.tx, m.ride, m.action.Delay, m.now)
}

// requestWake is when a request that was just promised to the queue can no longer
// come back by itself.
func requestWake(now time.Time, delay, visibility, margin time.Duration) time.Time {
	return now.Add(delay + event.Tries*visibility + margin)
}

func (r *Ride) wake(at time.Time) { r.wakeAt = &at }

// wakeLater moves wake_at to a later time, never to an earlier one: the message
// may come back from the queue until then, and the sweeper must not send another.
func (r *Ride) wakeLater(at time.Time) {
	if r.wakeAt == nil || at.After(*r.wakeAt) {
		r.wakeAt = &at
	}
}

func (m *move) writeRide(ctx context.Context) error {
	r := m.ride
	_, err := m.tx.Exec(ctx, `UPDATE ride.rides SET state = $2, attempt = $3, driver_id = nullif($4, ''), assigned_at = $5,
			arrived_at = $6, picked_up_at = $7, ended_at = $8, expires_at = $9, wake_at = $10, end_reason = $11, ended_by_operator = $12
		WHERE id = $1`, r.ID, r.State, r.Attempt, r.DriverID, r.AssignedAt, r.ArrivedAt, r.PickedUpAt, r.EndedAt, r.ExpiresAt, r.wakeAt, r.EndReason, r.EndedByOperator)

	// The index has decided between two rides that claimed one driver concurrently.
	if isUnique(err, "one_live_ride_of_a_driver") {
		return fmt.Errorf("%w: %s", ErrTaken, r.DriverID)
	}
	if err != nil {
		return fmt.Errorf("ride: write: %w", err)
	}

	m.ride.Vehicle = VehicleOf(r.DriverID)
	return nil
}
