package console

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// mostSeq is the largest sequence that location takes: one more would not be exact in
// JSON everywhere.
const mostSeq = 1<<53 - 1

// Routes is the service's table of routes.
func Routes() []httpserver.Route { return (*service)(nil).routes() }

func (s *service) routes() []httpserver.Route {
	anybody := []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Importer, auth.Service, auth.Admin}
	each := httpserver.Limit{PerSecond: 20, Burst: 100} // a second's answer for each tab of an address
	return append(append(s.deadRoutes(), s.readerRoutes()...), []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/summary", Roles: anybody, Whose: "counts and processes, nobody's ride", Limit: each, Handle: s.summaryHTTP},
		{Method: http.MethodGet, Path: "/v1/overview", Roles: []auth.Role{auth.Admin, auth.Service}, Handle: s.overviewHTTP},
		{Method: http.MethodGet, Path: "/v1/rides/:id/stream", Roles: []auth.Role{auth.Rider, auth.Driver, auth.Admin}, Whose: "a rider's and a driver's own", Handle: s.rideStreamHTTP},
		{Method: http.MethodGet, Path: "/v1/rides/:id/worker", Roles: []auth.Role{auth.Rider, auth.Driver, auth.Admin}, Whose: "a rider's and a driver's own", Handle: s.rideWorkerHTTP},
		{Method: http.MethodPost, Path: "/v1/rides/:id/worker/kill", Roles: []auth.Role{auth.Admin}, Handle: s.killWorkerHTTP},
		{Method: http.MethodGet, Path: "/v1/rides/:id/queue", Roles: []auth.Role{auth.Rider, auth.Driver, auth.Admin}, Whose: "a rider's and a driver's own", Handle: s.rideQueueHTTP},
	}...)
}

func (s *service) overviewHTTP(c *gin.Context) error {
	// The answer may have been gathered a moment ago: what it says is as old.
	o := s.gather.overview(c.Request.Context())
	o.At = s.gather.now().UTC()
	c.JSON(http.StatusOK, o)
	return nil
}

// summaryHTTP is GET /v1/summary, which anybody may ask for.
func (s *service) summaryHTTP(c *gin.Context) error {
	out := s.summary.now(c.Request.Context())
	out.Endpoint, out.Region = s.cfg.AWS.Endpoint, s.region
	c.JSON(http.StatusOK, out)
	return nil
}

// rideOf is what the console needs to know of a ride.
type rideOf struct {
	RiderID    string     `json:"rider_id"`
	DriverID   string     `json:"driver_id"`
	AssignedAt *time.Time `json:"assigned_at"`
	EndedAt    *time.Time `json:"ended_at"`
}

// ownRide returns the ride that the path names, if it is the asker's own.
func (s *service) ownRide(c *gin.Context) (rideOf, error) {
	id := httpserver.Identity(c)

	var ride rideOf
	if err := s.booking.Get(c.Request.Context(), "/v1/rides/"+url.PathEscape(c.Param("id")), &ride); err != nil {
		return ride, err
	}

	// Booking was asked as the console, which sees every ride: so what this asker
	// may see is decided here. To others the ride does not exist.
	if id.Role == auth.Rider && ride.RiderID != id.Subject || id.Role == auth.Driver && ride.DriverID != id.Subject {
		return ride, problem.New(problem.NotFound, "There is no ride %s of yours.", c.Param("id"))
	}
	return ride, nil
}

// rideStreamHTTP is GET /v1/rides/:id/stream: a trace of the newest point of the
// ride's driver, and the ride's points after one, for the ride's own rider and
// driver and for admins.
func (s *service) rideStreamHTTP(c *gin.Context) error {
	ctx := c.Request.Context()
	ride, err := s.ownRide(c)
	if err != nil {
		return err
	}

	after, err := strconv.ParseInt(c.DefaultQuery("after", "0"), 10, 64)
	if err != nil || after < 0 || after > mostSeq {
		return problem.Field("after", "It is the seq of a point.")
	}

	// Before the accept the rider does not know who was asked.
	trace := StreamTrace{Readers: []TraceReader{}, Points: []RidePoint{}}
	if ride.DriverID != "" && ride.AssignedAt != nil {
		asked := make(chan []RidePoint, 1)
		go func() { asked <- s.ridePoints(ctx, ride, after) }()

		trace = newestEverywhere(ride.DriverID, s.askReaders(ctx, ride.DriverID))
		if trace.Point != nil {
			left := s.cfg.StreamRetention - time.Since(time.UnixMilli(trace.Point.ArrivedAt))
			trace.RetentionLeftS = max(0, int64(left.Seconds()))
		}
		trace.Points = <-asked
	}

	trace.At, trace.Backend = time.Now().UnixMilli(), Backend{s.cfg.AWS.Endpoint, s.region}
	c.JSON(http.StatusOK, trace)
	return nil
}

// rideWorkerHTTP is GET /v1/rides/:id/worker: who holds the ride's message, for the
// ride's own rider and driver and for admins.
func (s *service) rideWorkerHTTP(c *gin.Context) error {
	if _, err := s.ownRide(c); err != nil {
		return err
	}
	w, err := s.rideWorker(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}

	c.JSON(http.StatusOK, w)
	return nil
}

// killWorkerHTTP is POST /v1/rides/:id/worker/kill.
func (s *service) killWorkerHTTP(c *gin.Context) error {
	killed, err := s.killWorker(c.Request.Context(), c.Param("id"), httpserver.Identity(c))
	if err != nil {
		return err
	}

	c.JSON(http.StatusOK, killed)
	return nil
}

// rideQueueHTTP is GET /v1/rides/:id/queue: how many requests are in the queue, and
// what the queue says of the ride's message, for the ride's own rider and driver and
// for admins.
func (s *service) rideQueueHTTP(c *gin.Context) error {
	if _, err := s.ownRide(c); err != nil {
		return err
	}

	message := c.Query("message")
	if message != "" && !event.ValidID(message) {
		return problem.Field("message", "It is the message_id of a ride's event.")
	}

	c.JSON(http.StatusOK, s.lookIn(c.Request.Context(), message))
	return nil
}
