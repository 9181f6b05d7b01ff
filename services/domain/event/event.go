// Package event has the versioned wire types of queue messages and stream records,
// and the names of what they travel on. It uses the standard library only, so that
// any consumer can copy it. The golden files in testdata pin the bytes.
package event

import (
	"encoding/json"
	"fmt"
	"time"
)

// Envelope is one message on a queue. ID is the event's identity: consumers
// deduplicate by it, never by SQS's MessageId.
type Envelope struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Version int             `json:"version"`
	At      time.Time       `json:"at"`
	Data    json.RawMessage `json:"data"`
}

// EnvelopeVersion is the version that this build writes.
const EnvelopeVersion = 1

// Types of Envelope.
const (
	TypeRideRequest     = "ride.request"  // Data: RideRequest, queue ride-requests
	TypeRideAssigned    = "ride.assigned" // Data: RideNotice, queue notifications.fifo, as all below
	TypeRideArrived     = "ride.arrived"
	TypeRidePickedUp    = "ride.picked_up"
	TypeRideCompleted   = "ride.completed"
	TypeRideCancelled   = "ride.cancelled"
	TypeRideUnfulfilled = "ride.unfulfilled"
	TypeRideRequeued    = "ride.requeued" // the driver was lost; dispatch looks for another
)

// RideRequest asks dispatch to find a driver for a ride.
type RideRequest struct {
	RideID  string `json:"ride_id"`
	Attempt int    `json:"attempt"` // a worker drops a message of an earlier attempt
}

// RideNotice tells a rider what happened to the ride.
type RideNotice struct {
	RideID   string `json:"ride_id"`
	RiderID  string `json:"rider_id"`
	DriverID string `json:"driver_id,omitempty"`
	Plate    string `json:"plate,omitempty"`
	Reason   string `json:"reason,omitempty"` // a code, never somebody's words
}

// ReasonOperator is the Reason of a ride that an operator cancelled or ended.
const ReasonOperator = "operator"

// New returns an envelope around data.
func New(id, typ string, at time.Time, data any) (Envelope, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return Envelope{}, fmt.Errorf("event: encode %s: %w", typ, err)
	}
	return Envelope{ID: id, Type: typ, Version: EnvelopeVersion, At: at.UTC(), Data: b}, nil
}

// Decode reads an envelope. It returns ErrVersion for a version it does not know.
func Decode(b []byte) (Envelope, error) {
	var e Envelope
	if err := json.Unmarshal(b, &e); err != nil {
		return Envelope{}, fmt.Errorf("event: decode envelope: %w", err)
	}

	// A newer version may mean another thing by the same fields: guessing would be
	// worse than a dead letter.
	if e.Version != EnvelopeVersion {
		return Envelope{}, fmt.Errorf("%w: version %d of type %q", ErrVersion, e.Version, e.Type)
	}

	if e.ID == "" || e.Type == "" {
		return Envelope{}, fmt.Errorf("event: an envelope needs an id and a type")
	}
	return e, nil
}
