package notification

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

const inboxPage = 100

// Routes is the service's table of routes, for who asks what is there and not for
// an answer.
func Routes() []httpserver.Route { return routes(nil, nil, nil) }

// routes is the service's table of routes, each with its roles.
func routes(s *store, v *verifier, l *lab) []httpserver.Route {
	const own = "a rider's own"
	rider, admin := []auth.Role{auth.Rider}, []auth.Role{auth.Admin}
	seldom := httpserver.Limit{PerSecond: 1, Burst: 5}
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/contact", Roles: rider, Whose: own, Handle: s.contactHTTP},
		{Method: http.MethodPut, Path: "/v1/contact", Roles: rider, Whose: own, Limit: seldom, Handle: s.putContactHTTP},
		{Method: http.MethodPost, Path: "/v1/contact/code", Roles: rider, Whose: own, Limit: seldom, Handle: v.sendHTTP},
		{Method: http.MethodPost, Path: "/v1/contact/verify", Roles: rider, Whose: own, Limit: seldom, Handle: v.confirmHTTP},
		{Method: http.MethodGet, Path: "/v1/inbox", Roles: rider, Whose: own, Handle: s.inboxHTTP},
		{Method: http.MethodGet, Path: "/v1/deliveries", Roles: admin, Handle: s.deliveriesHTTP},
		{Method: http.MethodPut, Path: "/v1/lab/double-sms", Roles: admin, Handle: l.turnHTTP},
	}
}

// inboxHTTP is GET /v1/inbox?after=.
func (s *store) inboxHTTP(c *gin.Context) error {
	after := int64(-1)
	if q := c.Query("after"); q != "" {
		n, err := strconv.ParseInt(q, 10, 64)
		if err != nil || n < 0 {
			return problem.Field("after", "It is the id of the last message you have.")
		}
		after = n
	}

	messages, err := s.inbox(c.Request.Context(), httpserver.Identity(c).Subject, after, inboxPage)
	if err != nil {
		return err
	}

	c.JSON(http.StatusOK, gin.H{"messages": messages})
	return nil
}

// deliveriesHTTP is GET /v1/deliveries?ride_id=.
func (s *store) deliveriesHTTP(c *gin.Context) error {
	ride, err := uuid.Parse(c.Query("ride_id"))
	if err != nil {
		return problem.Field("ride_id", "It is a ride's id.")
	}

	out, err := s.deliveries(c.Request.Context(), ride.String()) // Parse takes other spellings, too
	if err != nil {
		return err
	}

	c.JSON(http.StatusOK, gin.H{"deliveries": out})
	return nil
}
