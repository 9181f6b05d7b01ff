package app

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"tandem/services/domain/geo"
	"tandem/services/internal/problem"
)

// Place is one end of a ride.
type Place struct {
	geo.Point
	Label string `json:"label,omitempty"`
}

// Ride is a ride as the API shows it.
type Ride struct {
	ID          string     `json:"id"`
	State       string     `json:"state"`
	Attempt     int        `json:"attempt"`
	RiderID     string     `json:"rider_id"`
	DriverID    string     `json:"driver_id"`
	Pickup      Place      `json:"pickup"`
	Dropoff     Place      `json:"dropoff"`
	RequestedAt time.Time  `json:"requested_at"`
	AssignedAt  *time.Time `json:"assigned_at"`
	EndedAt     *time.Time `json:"ended_at"`
}

// States of a ride, as the API names them.
const (
	Requested   = "requested"
	Offered     = "offered"
	Assigned    = "assigned"
	Arrived     = "arrived"
	PickedUp    = "picked_up"
	Completed   = "completed"
	Cancelled   = "cancelled"
	Unfulfilled = "unfulfilled"
)

// Terminal says whether the ride has ended.
func (r Ride) Terminal() bool {
	return r.State == Completed || r.State == Cancelled || r.State == Unfulfilled
}

// Booking is what Book sends.
type Booking struct {
	Pickup  Place  `json:"pickup"`
	Dropoff Place  `json:"dropoff"`
	RiderID string `json:"rider_id,omitempty"` // an importer books for this rider
}

// Book asks for a ride. The same key gives the same ride however often it is
// sent. Status is the last answer's HTTP status, 0 where none came.
func (s *Session) Book(ctx context.Context, key string, b Booking) (r Ride, status int, err error) {
	status, err = s.do(ctx, call{method: http.MethodPost, path: "/v1/rides", in: b, out: &r, header: map[string]string{"Idempotency-Key": key}})
	return r, status, err
}

// Ride gives the ride as it is now.
func (s *Session) Ride(ctx context.Context, id string) (r Ride, err error) {
	_, err = s.do(ctx, call{method: http.MethodGet, path: "/v1/rides/" + url.PathEscape(id), out: &r})
	return r, err
}

// Cancel takes back a ride that was not picked up yet.
func (s *Session) Cancel(ctx context.Context, id string) (Ride, error) {
	return s.act(ctx, id, "cancel", Cancelled)
}

// Arrive says that the driver is at the pick-up.
func (s *Session) Arrive(ctx context.Context, id string) (Ride, error) {
	return s.act(ctx, id, "arrive", Arrived)
}

// PickUp says that the rider is in.
func (s *Session) PickUp(ctx context.Context, id string) (Ride, error) {
	return s.act(ctx, id, "pick-up", PickedUp)
}

// DropOff ends the ride.
func (s *Session) DropOff(ctx context.Context, id string) (Ride, error) {
	return s.act(ctx, id, "drop-off", Completed)
}

// act does one action. A conflict because the ride is in the wanted state
// already (an answer was lost) is no error.
func (s *Session) act(ctx context.Context, id, action, want string) (r Ride, err error) {
	_, err = s.do(ctx, call{method: http.MethodPost, path: "/v1/rides/" + url.PathEscape(id) + "/" + action, in: struct{}{}, out: &r})
	if !IsCode(err, problem.Conflict) {
		return r, err
	}
	now, getErr := s.Ride(ctx, id)
	if getErr == nil && now.State == want {
		return now, nil
	}
	return now, err
}

// Offer is a ride that a driver may take.
type Offer struct {
	ID        string    `json:"id"`
	Ride      Ride      `json:"ride"`
	ExpiresAt time.Time `json:"expires_at"`
}

// DriverState is what booking knows of a driver.
type DriverState struct {
	DriverID string `json:"driver_id"`
	OnDuty   bool   `json:"on_duty"`
	Offer    *Offer `json:"offer"`
	Ride     *Ride  `json:"ride"`
}

// Duty goes on or off duty.
func (s *Session) Duty(ctx context.Context, on bool) (st DriverState, err error) {
	in := map[string]any{"on_duty": on}
	if s.driver != "" {
		in["driver_id"] = s.driver
	}
	_, err = s.do(ctx, call{method: http.MethodPut, path: "/v1/drivers/me/duty", in: in, out: &st})
	return st, err
}

// DriverState asks for the driver's offer and ride.
func (s *Session) DriverState(ctx context.Context) (st DriverState, err error) {
	_, err = s.do(ctx, call{method: http.MethodGet, path: s.onBehalf("/v1/drivers/me"), out: &st})
	return st, err
}

// Accept takes an offer. problem.Gone: it was too late.
func (s *Session) Accept(ctx context.Context, offerID string) (r Ride, err error) {
	_, err = s.do(ctx, call{method: http.MethodPost, path: "/v1/offers/" + url.PathEscape(offerID) + "/accept", in: struct{}{}, out: &r})
	return r, err
}

// Refuse turns an offer down.
func (s *Session) Refuse(ctx context.Context, offerID string) error {
	_, err := s.do(ctx, call{method: http.MethodPost, path: "/v1/offers/" + url.PathEscape(offerID) + "/refuse", in: struct{}{}})
	return err
}
