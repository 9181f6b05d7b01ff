package gateway

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// Routes is the gateway's table of routes; Doors are its other ways in.
func Routes() []httpserver.Route { return (*gateway)(nil).routes() }

func (g *gateway) routes() []httpserver.Route {
	guests := httpserver.Limit{PerSecond: 2, Burst: 20}
	return []httpserver.Route{
		{Method: http.MethodPost, Path: "/session/:role", Public: true, Handle: g.signIn, Limit: guests},
		{Method: http.MethodGet, Path: "/session/:role", Public: true, Handle: g.whoAmI},
		{Method: http.MethodDelete, Path: "/session/:role", Public: true, Handle: g.signOut},
		{Method: http.MethodPost, Path: "/v1/tokens", Public: true, Handle: g.token, Limit: httpserver.Limit{PerSecond: 200, Burst: 1000}},
	}
}

func sessionRole(c *gin.Context) (auth.Role, error) {
	switch role := auth.Role(c.Param("role")); role {
	case auth.Rider, auth.Driver, auth.Admin, auth.Viewer:
		return role, nil
	}
	return "", problem.New(problem.NotFound, "There is no role %q; there are viewer, rider, driver and admin.", c.Param("role"))
}

// signIn is POST /session/{role}: one click creates a guest's account. A browser
// that is signed in already stays who it is.
func (g *gateway) signIn(c *gin.Context) error {
	role, err := sessionRole(c)
	if err != nil {
		return err
	}
	if !httpserver.FromOwnPage(c.Request) {
		return problem.New(problem.Forbidden, "This may only be asked by Tandem's own page.")
	}
	if role == auth.Admin && !g.cfg.DemoLogin {
		return problem.New(problem.Forbidden, "Admins sign in with the operator's key: POST /v1/tokens.")
	}

	if id, err := g.identify(c.Request, role); err == nil {
		c.JSON(http.StatusOK, gin.H{"subject": id.Subject})
		return nil
	}

	id := guest(role)
	secret, err := g.store.newSession(c.Request.Context(), cookieSession, id)
	if err != nil {
		return err
	}
	setCookie(c.Writer, c.Request, role, secret, int(sessionLife.Seconds()))
	c.JSON(http.StatusOK, gin.H{"subject": id.Subject})
	return nil
}

// whoAmI is GET /session/{role}. A page asks it before anybody has signed in, which
// is no error: a browser would show a 401 as one.
func (g *gateway) whoAmI(c *gin.Context) error {
	role, err := sessionRole(c)
	if err != nil {
		return err
	}

	id, err := g.identify(c.Request, role)
	switch {
	case errors.Is(err, errLogin):
		c.Status(http.StatusNoContent)
		return nil
	case err != nil:
		return err
	}
	c.JSON(http.StatusOK, gin.H{"subject": id.Subject})
	return nil
}

// signOut is DELETE /session/{role}.
func (g *gateway) signOut(c *gin.Context) error {
	role, err := sessionRole(c)
	if err != nil {
		return err
	}
	if !httpserver.FromOwnPage(c.Request) {
		return problem.New(problem.Forbidden, "This may only be asked by Tandem's own page.")
	}

	switch id, err := g.identify(c.Request, role); {
	case err == nil:
		// Ended before the cookie is: if it fails, the page still has what it needs to
		// try again.
		if err := g.signOutEverywhere(c.Request, id); err != nil {
			return err
		}
	case !errors.Is(err, errLogin):
		return err // it is not known who that is, now
	}

	setCookie(c.Writer, c.Request, role, "", -1)
	c.Status(http.StatusNoContent)
	return nil
}

// signOutEverywhere ends all sessions, refresh tokens and sockets of a person: who
// signs out where others sit does not think of what else is open.
func (g *gateway) signOutEverywhere(r *http.Request, id auth.Identity) error {
	if id.Role == auth.Viewer {
		return nil // nobody has signed in
	}
	if err := g.store.endSessions(r.Context(), id); err != nil {
		return err
	}

	g.forget(id)
	return nil
}

// forget ends what this gateway has of a person who has signed out.
func (g *gateway) forget(id auth.Identity) {
	for _, secret := range g.sessions.Keys() {
		if known, ok := g.sessions.Peek(secret); ok && known == id {
			g.sessions.Remove(secret)
		}
	}
	g.underWay.End(httpserver.Person(nil, id))
}

// guest returns a new identity. Its subject is random, so that nobody can guess
// or choose another's.
func guest(role auth.Role) auth.Identity {
	return auth.Identity{Role: role, Subject: string(role) + "-" + strings.ReplaceAll(uuid.NewString(), "-", "")[:12]}
}
