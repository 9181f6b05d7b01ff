package booking

import (
	"errors"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"tandem/services/domain/event"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

type bookingRequest struct {
	Pickup  ride.Place `json:"pickup"`
	Dropoff ride.Place `json:"dropoff"`
	RiderID string     `json:"rider_id,omitempty"` // an importer books for this rider
}

const (
	maxKey    = 128
	maxLabel  = 200
	maxReason = 200
)

// create is POST /v1/rides; Idempotency-Key as in the IETF draft.
func (s *service) create(c *gin.Context) error {
	id := httpserver.Identity(c)
	key := c.GetHeader("Idempotency-Key")
	if key == "" || len(key) > maxKey || !utf8.ValidString(key) {
		return problem.Field("Idempotency-Key", "Send the header Idempotency-Key, 1 to %d characters: the same for every try of one booking.", maxKey)
	}
	var in bookingRequest
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}
	rider := id.Subject
	if id.Role == auth.Importer {
		if !event.ValidID(in.RiderID) {
			return problem.Field("rider_id", "An importer names the rider: 1 to 64 of A-Z a-z 0-9 _ and -.")
		}
		rider = in.RiderID
	} else if in.RiderID != "" {
		return problem.Field("rider_id", "A rider books for itself; leave this out.")
	}
	q, err := s.quoteFor(in.Pickup, in.Dropoff)
	if err != nil {
		return err
	}
	r, replayed, err := s.rides.Create(c.Request.Context(), ride.Booking{
		RiderID: rider, Key: key, Pickup: in.Pickup, Dropoff: in.Dropoff, DistanceM: q.DistanceM, DurationS: q.DurationS, Price: q.Price,
	})
	if err != nil {
		return explain(err)
	}
	if replayed {
		c.Header("Idempotency-Replayed", "true")
	}
	c.Header("Location", "/v1/rides/"+r.ID)
	c.JSON(http.StatusCreated, forEyes(id, r))
	return nil
}

func (s *service) get(c *gin.Context) error {
	r, err := s.visible(c)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, forEyes(httpserver.Identity(c), r))
	return nil
}

// visible gives the ride of the path where the asker may see it: its rider, its
// driver (also the one it is offered to), and those who operate. To all others
// there is no such ride.
func (s *service) visible(c *gin.Context) (ride.Ride, error) {
	r, err := s.rides.Get(c.Request.Context(), c.Param("id"))
	if err != nil {
		return r, explain(err)
	}
	if !maySee(httpserver.Identity(c), r) {
		return r, explain(ride.ErrNotFound)
	}
	return r, nil
}

func maySee(id auth.Identity, r ride.Ride) bool {
	switch id.Role {
	case auth.Rider:
		return r.RiderID == id.Subject
	case auth.Driver:
		return r.DriverID == id.Subject
	case auth.Admin, auth.Importer, auth.Service:
		return true
	}
	return false
}

// forEyes takes out what the asker has no business to see: an open offer is
// its driver's and the operators' alone, and until a driver has accepted, the
// rider does not know who is asked.
func forEyes(id auth.Identity, r ride.Ride) ride.Ride {
	if id.Role == auth.Rider {
		r.Offer = nil
		if r.State == ride.Offered {
			r.DriverID, r.Vehicle = "", nil
		}
	}
	return r
}

type ridesPage struct {
	Rides []ride.Ride `json:"rides"`
	Next  string      `json:"next,omitempty"` // give it as ?after= for the page after
}

const pageSize = 50

func (s *service) list(c *gin.Context) error {
	id := httpserver.Identity(c)
	f := ride.Filter{State: ride.State(c.Query("state")), After: c.Query("after"), Limit: pageSize}
	if f.State != "" && !known(f.State) {
		return problem.Field("state", "%q is no state; there are %v.", f.State, ride.States())
	}
	if f.After != "" && uuid.Validate(f.After) != nil {
		return problem.Field("after", "%q is no ride's id; give the next of the page before.", f.After)
	}
	if text := c.Query("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 200 {
			return problem.Field("limit", "The limit is 1 to 200.")
		}
		f.Limit = n
	}
	switch id.Role {
	case auth.Rider:
		f.Rider = id.Subject
	case auth.Driver:
		f.Driver = id.Subject
	}
	rides, err := s.rides.List(c.Request.Context(), f)
	if err != nil {
		return explain(err)
	}
	page := ridesPage{Rides: []ride.Ride{}}
	for _, r := range rides {
		page.Rides = append(page.Rides, forEyes(id, r))
	}
	if len(rides) == f.Limit {
		page.Next = rides[len(rides)-1].ID
	}
	c.JSON(http.StatusOK, page)
	return nil
}

func known(s ride.State) bool {
	for _, x := range ride.States() {
		if x == s {
			return true
		}
	}
	return false
}

type reasonRequest struct {
	Reason string `json:"reason,omitempty"`
}

func (s *service) cancel(c *gin.Context) error {
	return s.actWithReason(c, ride.ActCancel, false)
}

func (s *service) end(c *gin.Context) error { return s.actWithReason(c, ride.ActEnd, true) }

func (s *service) actWithReason(c *gin.Context, kind ride.ActionKind, needed bool) error {
	var in reasonRequest
	if c.Request.ContentLength != 0 {
		if err := httpserver.Bind(c, &in); err != nil {
			return err
		}
	}
	if needed && in.Reason == "" || len(in.Reason) > maxReason {
		return problem.Field("reason", "Say why, in at most %d bytes.", maxReason)
	}
	return s.act(c, ride.Action{Kind: kind, Reason: in.Reason})
}

func (s *service) arrive(c *gin.Context) error  { return s.act(c, ride.Action{Kind: ride.ActArrive}) }
func (s *service) pickUp(c *gin.Context) error  { return s.act(c, ride.Action{Kind: ride.ActPickUp}) }
func (s *service) dropOff(c *gin.Context) error { return s.act(c, ride.Action{Kind: ride.ActDropOff}) }

// act does one action on the ride of the path.
func (s *service) act(c *gin.Context, a ride.Action) error {
	if _, err := s.visible(c); err != nil {
		return err
	}
	id := httpserver.Identity(c)
	if id.Role == auth.Driver {
		a.Driver = id.Subject
	}
	r, err := s.rides.Do(c.Request.Context(), c.Param("id"), a, actor(id))
	if err != nil {
		return explain(err)
	}
	c.JSON(http.StatusOK, forEyes(id, r))
	return nil
}

func actor(id auth.Identity) string { return string(id.Role) + " " + id.Subject }

// explain maps package ride's errors to what a client may know.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ride.ErrNotFound):
		return problem.Wrap(err, problem.NotFound, "There is no such ride or offer of yours.")
	case errors.Is(err, ride.ErrOffer):
		return problem.Wrap(err, problem.Gone, "The offer is no longer open: it was answered, its time has passed, or the ride was cancelled.")
	case errors.Is(err, ride.ErrKeyReused):
		p := problem.Wrap(err, problem.Unprocessable, "This Idempotency-Key was used for another booking. A new booking takes a new key.")
		p.Field = "Idempotency-Key"
		return p
	case errors.Is(err, ride.ErrBusy):
		return problem.Wrap(err, problem.Conflict, "You have a ride or an offer. Finish or answer it, then go off duty.")
	case errors.Is(err, ride.ErrState), errors.Is(err, ride.ErrAttempt), errors.Is(err, ride.ErrTaken), errors.Is(err, ride.ErrDriver):
		return problem.Wrap(err, problem.Conflict, "The ride has moved on: that is not possible in its present state. Look at it again.")
	}
	return err
}
