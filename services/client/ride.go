package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"tandem/services/domain/geo"
	"tandem/services/internal/httpclient"
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

	Replayed bool `json:"-"` // of Book's answer: an earlier request with the key made the ride
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

// Terminal reports whether the ride has ended.
func (r Ride) Terminal() bool {
	return r.State == Completed || r.State == Cancelled || r.State == Unfulfilled
}

// Booking is what Book sends.
type Booking struct {
	Pickup  Place  `json:"pickup"`
	Dropoff Place  `json:"dropoff"`
	RiderID string `json:"rider_id,omitempty"` // an importer books for this rider
}

// Book asks for a ride. The same key returns the same ride however often it is
// sent. Status is the last answer's HTTP status, 0 where none came.
func (s *Session) Book(ctx context.Context, key string, b Booking) (r Ride, status int, err error) {
	var answer http.Header
	status, err = s.http.Do(ctx, httpclient.Request{
		Method: http.MethodPost, Path: "/v1/rides", In: b, Out: &r, OutHeader: &answer,
		Header: map[string]string{"Idempotency-Key": key},
	})
	r.Replayed = answer.Get("Idempotency-Replayed") == "true"
	return r, status, err
}

// Ride returns the ride as it is now.
func (s *Session) Ride(ctx context.Context, id string) (r Ride, err error) {
	err = s.http.Get(ctx, "/v1/rides/"+url.PathEscape(id), &r)
	return r, err
}

// Rides returns a page of the rides in a state, of those that the session's person
// may see, behind the ride after; next is the after of the page that follows, "" at
// the end.
func (s *Session) Rides(ctx context.Context, state, after string) (rides []Ride, next string, err error) {
	var out struct {
		Rides []Ride `json:"rides"`
		Next  string `json:"next"`
	}
	q := url.Values{"state": {state}}
	if after != "" {
		q.Set("after", after)
	}
	err = s.http.Get(ctx, "/v1/rides?"+q.Encode(), &out)
	return out.Rides, out.Next, err
}

// Cancel takes back a ride that was not picked up yet.
func (s *Session) Cancel(ctx context.Context, id string) (Ride, error) {
	return s.act(ctx, id, "cancel", Cancelled)
}

// Arrive reports the driver at the pick-up.
func (s *Session) Arrive(ctx context.Context, id string) (Ride, error) {
	return s.act(ctx, id, "arrive", Arrived)
}

// PickUp reports the rider in the car.
func (s *Session) PickUp(ctx context.Context, id string) (Ride, error) {
	return s.act(ctx, id, "pick-up", PickedUp)
}

// DropOff ends the ride.
func (s *Session) DropOff(ctx context.Context, id string) (Ride, error) {
	return s.act(ctx, id, "drop-off", Completed)
}

// act does one action that leads to the state want.
func (s *Session) act(ctx context.Context, id, action, want string) (r Ride, err error) {
	err = s.post(ctx, "/v1/rides/"+url.PathEscape(id)+"/"+action, struct{}{}, &r)
	if !IsCode(err, problem.Conflict) {
		return r, err
	}

	// The answer of an earlier try may have been lost: then the ride is where it
	// was to be brought, and that is no error.
	now, getErr := s.Ride(ctx, id)
	if getErr == nil && now.State == want {
		return now, nil
	}
	return now, err
}
