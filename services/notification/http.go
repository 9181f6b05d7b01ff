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

// routes is the service's table of routes, each with its roles.
func routes(s *store) []httpserver.Route {
	rider, admin := []auth.Role{auth.Rider}, []auth.Role{auth.Admin}
	return []httpserver.Route{
		{Method: http.MethodPut, Path: "/v1/contact", Roles: rider, Limit: httpserver.Limit{PerSecond: 1, Burst: 5}, Handle: s.putContactHTTP},
		{Method: http.MethodGet, Path: "/v1/inbox", Roles: rider, Handle: s.inboxHTTP},
		{Method: http.MethodGet, Path: "/v1/deliveries", Roles: admin, Handle: s.deliveriesHTTP},
	}
}

// putContactHTTP is PUT /v1/contact. It answers with the contact as it is kept; an
// empty phone means no more texts.
func (s *store) putContactHTTP(c *gin.Context) error {
	var in struct {
		Phone    string `json:"phone"`
		Language string `json:"language"`
	}
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}

	if in.Phone != "" && !phone(in.Phone).valid() {
		return problem.Field("phone", "Write it with + and the country's number, digits only, like +59899123456.")
	}
	if in.Language != spanish && in.Language != english {
		return problem.Field("language", "It is es or en.")
	}

	// The rider is the token's, so nobody sets another's phone.
	if err := s.putContact(c.Request.Context(), httpserver.Identity(c).Subject, contact{Phone: phone(in.Phone), Language: in.Language}); err != nil {
		return err
	}

	c.JSON(http.StatusOK, in)
	return nil
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
