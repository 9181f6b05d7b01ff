package history

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

const (
	defaultPage = 1_000
	maxPage     = 10_000
)

// Routes is the service's table of routes.
func Routes() []httpserver.Route { return append(routes(nil), points.Routes()...) }

func routes(s *store) []httpserver.Route {
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/drivers/:id/last", Roles: []auth.Role{auth.Driver, auth.Importer, auth.Service, auth.Admin}, Whose: "a driver's own", Handle: s.lastHTTP},
		{Method: http.MethodGet, Path: "/v1/drivers/:id/points", Roles: []auth.Role{auth.Admin, auth.Service}, Handle: s.pointsHTTP},
		{Method: http.MethodGet, Path: "/v1/drivers/:id/track", Roles: []auth.Role{auth.Driver, auth.Service, auth.Admin}, Whose: "a driver's own", Handle: s.trackHTTP},
		{Method: http.MethodGet, Path: "/v1/rides/:id/track", Roles: []auth.Role{auth.Rider, auth.Driver, auth.Service, auth.Admin}, Whose: "a rider's and a driver's own, from the pick-up to the end", Handle: s.rideTrackHTTP},
		{Method: http.MethodGet, Path: "/v1/playback", Roles: []auth.Role{auth.Admin}, Handle: s.playbackHTTP},
	}
}

// errNoDriver is for an id that no driver has: Postgres would not even take each as text.
var errNoDriver = problem.New(problem.NotFound, "No driver has this id: one has 1 to 64 of A-Z a-z 0-9 _ and -.")

// lastHTTP answers with a driver's newest point: its app goes on counting
// sequences from there.
func (s *store) lastHTTP(c *gin.Context) error {
	driver, id := c.Param("id"), httpserver.Identity(c)
	if id.Role == auth.Driver && id.Subject != driver {
		return problem.New(problem.NotFound, "A driver sees its own points.")
	}
	if !event.ValidID(driver) {
		return errNoDriver
	}

	p, ok, err := s.last(c.Request.Context(), driver)
	if err != nil {
		return err
	}
	if !ok {
		return problem.New(problem.NotFound, "There is no point of driver %s yet.", driver)
	}

	c.JSON(http.StatusOK, p)
	return nil
}

// pointsHTTP answers with a driver's points of a span, oldest first. Where
// there are more than limit, next is the from to go on with.
func (s *store) pointsHTTP(c *gin.Context) error {
	if !event.ValidID(c.Param("id")) {
		return errNoDriver
	}

	from, to, err := spanParams(c)
	if err != nil {
		return err
	}

	limit, err := limitParam(c, defaultPage)
	if err != nil {
		return err
	}

	points, err := s.between(c.Request.Context(), c.Param("id"), from, to, limit)
	if err != nil {
		return err
	}

	answer := gin.H{"points": points}
	if len(points) == limit {
		answer["next"] = points[limit-1].Seq + 1
	}

	c.JSON(http.StatusOK, answer)
	return nil
}

// spanParams returns the parameters from and to: by default the last two hours.
func spanParams(c *gin.Context) (from, to time.Time, err error) {
	// Sequences may run ahead of the clock; an hour is more than location allows.
	if to, err = httpserver.TimeParam(c, "to", time.Now().Add(time.Hour)); err != nil {
		return from, to, err
	}
	from, err = httpserver.TimeParam(c, "from", to.Add(-2*time.Hour))
	return from, to, err
}
