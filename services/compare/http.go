package compare

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// Routes is the service's table of routes.
func Routes() []httpserver.Route { return (*service)(nil).routes() }

func (s *service) routes() []httpserver.Route {
	everybody := []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Importer, auth.Service, auth.Admin}
	// A page looks once a second, and more often while it catches up.
	looks, presses := httpserver.Limit{PerSecond: 20, Burst: 100}, httpserver.Limit{PerSecond: 1, Burst: 10}
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/compare", Roles: everybody, Whose: "nobody's; all see the same session", PerAddress: looks, Handle: s.lookHTTP},
		{Method: http.MethodPost, Path: "/v1/compare/acts", Roles: everybody, Whose: "the viewer who presses", PerAddress: presses, MaxBody: 1 << 10, Handle: s.actHTTP},
	}
}

// lookHTTP is GET /v1/compare?viewer=&cursor=: to look is to be a viewer, for as long
// as one goes on looking.
func (s *service) lookHTTP(c *gin.Context) error {
	viewer := c.Query("viewer")
	if !event.ValidID(viewer) {
		return problem.Field("viewer", "It is a name that the page has made for itself: 1 to 64 of A-Z a-z 0-9 _ and -.")
	}
	from, err := readCursor(c.Query("cursor"))
	if err != nil {
		return err
	}

	now, viewers, yours, err := s.look(viewer)
	if err != nil {
		return err
	}
	out := View{State: stateStarting, At: time.Now().UnixMilli(), Acts: []string{}}
	if now != nil {
		out = now.look(from)
	}
	out.Viewers, out.Yours, out.Endpoint, out.Region = viewers, yours, s.endpoint, s.region

	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, out)
	return nil
}

// actHTTP is POST /v1/compare/acts {"viewer", "act"}.
func (s *service) actHTTP(c *gin.Context) error {
	var in struct {
		Viewer string `json:"viewer"`
		Act    string `json:"act"`
	}
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}
	if err := s.press(c.Request.Context(), in.Viewer, in.Act); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
