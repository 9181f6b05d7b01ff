package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
	"tandem/services/tools/deadletter"
)

// deadRoutes are for dead letters: `tandem deadletter` does the same.
func (s *service) deadRoutes() []httpserver.Route {
	admin := []auth.Role{auth.Admin}

	// Each of them receives from SQS, which costs a request and hides messages.
	few := httpserver.Limit{PerSecond: 5, Burst: 20}
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/dead-letters", Roles: admin, Limit: few, Handle: s.deadLettersHTTP},
		{Method: http.MethodGet, Path: "/v1/dead-letters/:place/:id", Roles: admin, Limit: few, Handle: s.deadLetterHTTP},
		{Method: http.MethodPost, Path: "/v1/dead-letters/:place/:id/redrive", Roles: admin, Limit: few, Handle: s.redriveHTTP},
		{Method: http.MethodPost, Path: "/v1/dead-letters/:place/:id/discard", Roles: admin, Limit: few, Handle: s.discardHTTP},
		{Method: http.MethodPost, Path: "/v1/dead-letters/:place/redrive", Roles: admin, Limit: few, Handle: s.redriveAllHTTP},
		{Method: http.MethodPost, Path: "/v1/dead-letters/:place/redrive/cancel", Roles: admin, Limit: few, Handle: s.cancelRedriveHTTP},
		{Method: http.MethodGet, Path: "/v1/operations/acts", Roles: admin, Limit: few, Handle: s.actsHTTP},
	}
}

// deadPlaces is the answer of GET /v1/dead-letters.
type deadPlaces struct {
	At     time.Time            `json:"at"`
	Places []deadletter.Listing `json:"places"`
}

// deadLettersHTTP is GET /v1/dead-letters.
func (s *service) deadLettersHTTP(c *gin.Context) error {
	places := s.dead.ListAll(c.Request.Context())
	c.JSON(http.StatusOK, deadPlaces{time.Now().UTC(), places})
	return nil
}

// deadLetterHTTP is GET /v1/dead-letters/{place}/{id}.
func (s *service) deadLetterHTTP(c *gin.Context) error {
	d, err := s.dead.Show(c.Request.Context(), c.Param("place"), c.Param("id"))
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, d)
	return nil
}

// because is the body of an act. Who acts is in the token.
type because struct {
	Why string `json:"why"`
}

func (b because) by(c *gin.Context) deadletter.By {
	id := httpserver.Identity(c)
	return deadletter.By{Who: string(id.Role) + " " + id.Subject, Verified: true, Why: b.Why}
}

// redriveHTTP is POST /v1/dead-letters/{place}/{id}/redrive.
func (s *service) redriveHTTP(c *gin.Context) error {
	var in because
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}
	return answerAct(c)(s.dead.Redrive(c.Request.Context(), c.Param("place"), c.Param("id"), in.by(c)))
}

// discardHTTP is POST /v1/dead-letters/{place}/{id}/discard.
func (s *service) discardHTTP(c *gin.Context) error {
	var in because
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}
	return answerAct(c)(s.dead.Discard(c.Request.Context(), c.Param("place"), c.Param("id"), in.by(c)))
}

// redriveAllHTTP is POST /v1/dead-letters/{place}/redrive.
func (s *service) redriveAllHTTP(c *gin.Context) error {
	var in struct {
		because
		Rate int `json:"rate"`
	}
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}
	return answerAct(c)(s.dead.RedriveAll(c.Request.Context(), c.Param("place"), in.Rate, in.by(c)))
}

// cancelRedriveHTTP is POST /v1/dead-letters/{place}/redrive/cancel.
func (s *service) cancelRedriveHTTP(c *gin.Context) error {
	var in because
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}
	return answerAct(c)(s.dead.Cancel(c.Request.Context(), c.Param("place"), in.by(c)))
}

// answerAct returns a function that answers with an act that was done.
func answerAct(c *gin.Context) func(deadletter.Act, error) error {
	return func(a deadletter.Act, err error) error {
		if err != nil {
			return err
		}
		c.JSON(http.StatusOK, a)
		return nil
	}
}

// actsPage is the answer of GET /v1/operations/acts.
type actsPage struct {
	Acts []deadletter.Act `json:"acts"`
	Next int64            `json:"next,omitempty"` // send it as ?before= to get the page after
}

// actsHTTP is GET /v1/operations/acts?before=&limit=.
func (s *service) actsHTTP(c *gin.Context) error {
	before, err := strconv.ParseInt(c.DefaultQuery("before", "0"), 10, 64)
	if err != nil || before < 0 {
		return problem.Field("before", "It is the id of an act.")
	}

	limit, err := strconv.Atoi(c.DefaultQuery("limit", "50"))
	if err != nil || limit < 1 || limit > 200 {
		return problem.Field("limit", "It is a number from 1 to 200.")
	}

	acts, err := s.dead.Acts(c.Request.Context(), before, limit)
	if err != nil {
		return err
	}

	page := actsPage{Acts: acts}
	if len(acts) == limit {
		page.Next = acts[limit-1].ID
	}

	c.JSON(http.StatusOK, page)
	return nil
}
