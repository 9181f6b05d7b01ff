package ride

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tandem/services/domain/event"
	"tandem/services/internal/queue/outbox"
)

// writeNotice promises the message that tells the rider what happened, if the
// action is one that a rider should hear of.
func (m *move) writeNotice(ctx context.Context) error {
	typ := m.noticeType()
	if typ == "" {
		return nil
	}

	notice := event.RideNotice{RideID: m.ride.ID, RiderID: m.ride.RiderID, DriverID: m.ride.DriverID}
	// The action's own reason stays with the ride: it may be somebody's words, which
	// must not be sent on under our name.
	if m.action.Operator {
		notice.Reason = event.ReasonOperator
	}
	if m.ride.Vehicle != nil {
		notice.Plate = m.ride.Vehicle.Plate
	}
	return addMessage(ctx, m.tx, event.QueueNotifications, m.ride.ID, typ, 0, m.now, notice)
}

// noticeType is the type of the action's message to the rider, or "".
func (m *move) noticeType() string {
	switch m.action.Kind {
	case ActAccept:
		return event.TypeRideAssigned
	case ActArrive:
		return event.TypeRideArrived
	case ActPickUp:
		return event.TypeRidePickedUp
	case ActDropOff, ActEnd:
		return event.TypeRideCompleted
	case ActCancel:
		return event.TypeRideCancelled
	case ActGiveUp:
		return event.TypeRideUnfulfilled
	case ActRequeue:
		if m.from.State.accepted() { // else the rider was promised nobody
			return event.TypeRideRequeued
		}
	}
	return ""
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

	// The key is the ride, whose row the caller has locked.
	return Outbox().Add(ctx, tx, outbox.Message{ID: e.ID, Queue: queue, Key: rideID, Delay: delay, Body: body, Attributes: attributes(ctx)})
}

// writeEvent writes a line of the ride's history and notifies the listeners.
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
