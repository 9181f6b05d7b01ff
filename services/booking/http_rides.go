package booking

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

type bookingRequest struct {
	Pickup  *placeRequest `json:"pickup"`
	Dropoff *placeRequest `json:"dropoff"`
	RiderID string        `json:"rider_id,omitempty"` // an importer books for this rider
}

// placeRequest tells a coordinate that is left out from 0.
type placeRequest struct {
	Lat   *float64 `json:"lat"`
	Lon   *float64 `json:"lon"`
	Label string   `json:"label"`
}

func (p *placeRequest) place(field string) (ride.Place, error) {
	switch {
	case p == nil:
		return ride.Place{}, problem.Field(field, "Name a place: its lat and lon, in degrees.")
	case p.Lat == nil:
		return ride.Place{}, problem.Field(field+".lat", "It is missing: a latitude, -90 to 90, in degrees.")
	case p.Lon == nil:
		return ride.Place{}, problem.Field(field+".lon", "It is missing: a longitude, -180 to 180, in degrees.")
	}
	return ride.Place{Point: geo.Point{Lat: *p.Lat, Lon: *p.Lon}, Label: p.Label}, nil
}

const (
	maxKey    = 128
	maxLabel  = 200
	maxReason = 200
	// maxOpen is how many rides one rider may have open. Each holds a message on the
	// queue and, sooner or later, a driver; a person orders for friends, too.
	maxOpen = 5
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

	// A rider books for itself, whatever the body says: the token decides.
	rider, open := id.Subject, maxOpen
	if id.Role == auth.Importer {
		if !event.ValidID(in.RiderID) {
			return problem.Field("rider_id", "An importer names the rider: 1 to 64 of A-Z a-z 0-9 _ and -.")
		}
		rider, open = in.RiderID, 0 // a recording books as it happened
	} else if in.RiderID != "" {
		return problem.Field("rider_id", "A rider books for itself; leave this out.")
	}

	pickup, err := in.Pickup.place("pickup")
	if err != nil {
		return err
	}
	dropoff, err := in.Dropoff.place("dropoff")
	if err != nil {
		return err
	}

	// The price is computed here again and not taken from the client's quote.
	q, err := s.quoteFor(pickup, dropoff)
	if err != nil {
		return err
	}
	r, replayed, err := s.rides.Create(c.Request.Context(), ride.Booking{
		RiderID: rider, Key: key, Pickup: pickup, Dropoff: dropoff, DistanceM: q.DistanceM, DurationS: q.DurationS, Price: q.Price, MaxOpen: open,
	})
	if err != nil {
		return explain(err)
	}

	// 201 only now: ride, event and outbox row are committed. A replay has the same
	// status, so that a client whose first answer was lost need not know it.
	if replayed {
		c.Header("Idempotency-Replayed", "true")
	}
	c.Header("Location", "/v1/rides/"+r.ID)
	return answerRide(c, http.StatusCreated, r)
}

// get is GET /v1/rides/{id}.
func (s *service) get(c *gin.Context) error {
	r, err := s.visible(c)
	if err != nil {
		return err
	}

	return answerRide(c, http.StatusOK, r)
}

// visible returns the ride of the path if the asker may see it: its rider, its
// driver (also the one whom it is offered to), and those who operate. For all
// others it does not exist: 403 would tell them that it does.
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

type ridesPage struct {
	Rides []ride.Ride `json:"rides"`
	Next  string      `json:"next,omitempty"` // send it as ?after= to get the page after
}

const pageSize = 50

// list is GET /v1/rides?state=&after=&limit=: a rider's or a driver's own rides, or
// all for those who operate.
func (s *service) list(c *gin.Context) error {
	id := httpserver.Identity(c)
	f, err := listFilter(c, id)
	if err != nil {
		return err
	}

	rides, err := s.rides.List(c.Request.Context(), f)
	if err != nil {
		return explain(err)
	}
	page := ridesPage{Rides: []ride.Ride{}}
	for _, r := range rides {
		page.Rides = append(page.Rides, redactFor(id, r))
	}
	if len(rides) == f.Limit { // a full page: there may be more
		page.Next = rides[len(rides)-1].ID
	}

	c.JSON(http.StatusOK, page)
	return nil
}

func listFilter(c *gin.Context, id auth.Identity) (ride.Filter, error) {
	f := ride.Filter{State: ride.State(c.Query("state")), After: c.Query("after"), Limit: pageSize}
	if f.State != "" && !slices.Contains(ride.States(), f.State) {
		return f, problem.Field("state", "%q is not a state; there are %v.", f.State, ride.States())
	}
	if f.After != "" {
		after, err := uuid.Parse(f.After)
		if err != nil {
			return f, problem.Field("after", "%q is not a ride's id; send the next of the page before.", f.After)
		}
		f.After = after.String() // Parse takes other spellings, too
	}
	if text := c.Query("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 200 {
			return f, problem.Field("limit", "The limit is 1 to 200.")
		}
		f.Limit = n
	}

	// Whose rides is decided by the token, never by a parameter.
	switch id.Role {
	case auth.Rider:
		f.Rider = id.Subject
	case auth.Driver:
		f.Driver = id.Subject
	}
	return f, nil
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

func (s *service) arrive(c *gin.Context) error {
	return s.act(c, ride.Action{Kind: ride.ActArrive}, s.checkAtPickup)
}

func (s *service) pickUp(c *gin.Context) error {
	return s.act(c, ride.Action{Kind: ride.ActPickUp}, s.checkAtPickup)
}

func (s *service) dropOff(c *gin.Context) error { return s.act(c, ride.Action{Kind: ride.ActDropOff}) }

// act does one action on the ride of the path, unless a check refuses it.
func (s *service) act(c *gin.Context, a ride.Action, checks ...func(context.Context, ride.Ride) error) error {
	seen, err := s.visible(c)
	if err != nil {
		return err
	}
	for _, check := range checks {
		if err := check(c.Request.Context(), seen); err != nil {
			return err
		}
	}

	id := httpserver.Identity(c)
	if id.Role == auth.Driver {
		a.Driver = id.Subject
	}
	a.Operator = id.Role == auth.Admin
	r, err := s.rides.Do(c.Request.Context(), c.Param("id"), a, actor(id))
	if err != nil {
		return explain(err)
	}

	return answerRide(c, http.StatusOK, r)
}

// actor names who acts, for the ride's history.
func actor(id auth.Identity) string { return string(id.Role) + " " + id.Subject }
