package gateway

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// anonymous is who looks at the map before any login.
var anonymous = auth.Identity{Subject: "viewer", Role: auth.Viewer}

var errLogin = &problem.Error{Code: problem.Unauthenticated, Detail: "You are not signed in here, or your session has ended. Sign in again."}

func cookieName(role auth.Role) string { return "tandem_" + string(role) }

// identify gives who a browser's request is from, by the role's cookie.
func (g *gateway) identify(r *http.Request, role auth.Role) (auth.Identity, error) {
	if role == auth.Viewer {
		return anonymous, nil
	}
	cookie, err := r.Cookie(cookieName(role))
	if err != nil {
		return auth.Identity{}, errLogin
	}
	if id, ok := g.sessions.get(cookie.Value); ok && id.Role == role {
		return id, nil
	}
	id, err := g.store.session(r.Context(), cookie.Value)
	switch {
	case errors.Is(err, errNoSession):
		return auth.Identity{}, errLogin
	case err != nil:
		return auth.Identity{}, problem.Wrap(err, problem.Unavailable, "Sessions cannot be looked up now. Try again in a second.")
	case id.Role != role:
		return auth.Identity{}, errLogin
	}
	g.sessions.put(cookie.Value, id)
	return id, nil
}

func sessionRole(c *gin.Context) (auth.Role, error) {
	switch role := auth.Role(c.Param("role")); role {
	case auth.Rider, auth.Driver, auth.Admin, auth.Viewer:
		return role, nil
	}
	return "", problem.New(problem.NotFound, "There is no role %q; there are viewer, rider, driver and admin.", c.Param("role"))
}

// signIn is POST /session/{role}: one click makes a guest account. A browser
// that is signed in already stays who it is.
func (g *gateway) signIn(c *gin.Context) error {
	role, err := sessionRole(c)
	if err != nil {
		return err
	}
	if !sameOrigin(c.Request) {
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
	secret, err := g.store.newSession(c.Request.Context(), id)
	if err != nil {
		return err
	}
	g.setCookie(c, role, secret, int(sessionLife.Seconds()))
	c.JSON(http.StatusOK, gin.H{"subject": id.Subject})
	return nil
}

func (g *gateway) whoAmI(c *gin.Context) error {
	role, err := sessionRole(c)
	if err != nil {
		return err
	}
	id, err := g.identify(c.Request, role)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, gin.H{"subject": id.Subject})
	return nil
}

func (g *gateway) signOut(c *gin.Context) error {
	role, err := sessionRole(c)
	if err != nil {
		return err
	}
	if !sameOrigin(c.Request) {
		return problem.New(problem.Forbidden, "This may only be asked by Tandem's own page.")
	}
	if cookie, err := c.Request.Cookie(cookieName(role)); err == nil {
		g.sessions.drop(cookie.Value)
		if err := g.store.endSession(c.Request.Context(), cookie.Value); err != nil {
			return err
		}
	}
	g.setCookie(c, role, "", -1)
	c.Status(http.StatusNoContent)
	return nil
}

// setCookie scopes the cookie to the role's own path: a request to /rider
// never carries what an admin is. /session/{role} lies outside that path, so a
// second cookie of the same value is scoped there.
func (g *gateway) setCookie(c *gin.Context, role auth.Role, value string, maxAge int) {
	for _, path := range []string{"/" + string(role), "/session/" + string(role)} {
		http.SetCookie(c.Writer, &http.Cookie{
			Name: cookieName(role), Value: value, Path: path, MaxAge: maxAge, HttpOnly: true,
			SameSite: http.SameSiteStrictMode, Secure: c.Request.TLS != nil || c.GetHeader("X-Forwarded-Proto") == "https",
		})
	}
}

func guest(role auth.Role) auth.Identity {
	return auth.Identity{Role: role, Subject: string(role) + "-" + strings.ReplaceAll(uuid.NewString(), "-", "")[:12]}
}

// tokenRequest asks for a token: a guest's, an operator's for anybody, or a
// new one for a refresh token.
type tokenRequest struct {
	Role         auth.Role `json:"role"`
	Subject      string    `json:"subject,omitempty"`
	RefreshToken string    `json:"refresh_token,omitempty"`
}

type tokenAnswer struct {
	Token        string    `json:"token"`
	Role         auth.Role `json:"role"`
	Subject      string    `json:"subject"`
	ExpiresAt    int64     `json:"expires_at"` // ms since 1970 UTC
	RefreshToken string    `json:"refresh_token,omitempty"`
}

// token is POST /v1/tokens, for programs.
func (g *gateway) token(c *gin.Context) error {
	var in tokenRequest
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}
	var out tokenAnswer
	id, err := g.tokenIdentity(c, in, &out)
	if err != nil {
		return err
	}
	token, err := g.cfg.Auth.Sign(id, auth.MaxLife)
	if err != nil {
		return err
	}
	out.Token, out.Role, out.Subject = token, id.Role, id.Subject
	out.ExpiresAt = time.Now().Add(auth.MaxLife).UnixMilli()
	c.JSON(http.StatusOK, out)
	return nil
}

func (g *gateway) tokenIdentity(c *gin.Context, in tokenRequest, out *tokenAnswer) (auth.Identity, error) {
	ctx := c.Request.Context()
	if in.RefreshToken != "" {
		id, err := g.store.session(ctx, in.RefreshToken)
		if errors.Is(err, errNoSession) {
			return id, errLogin
		}
		return id, err
	}
	if !in.Role.Valid() {
		return auth.Identity{}, problem.Field("role", "%q is not a role; there are viewer, rider, driver, importer, service and admin.", in.Role)
	}
	if key := c.GetHeader("X-Operator-Key"); key != "" {
		return g.operatorIdentity(c, in, key)
	}
	if in.Subject != "" {
		return auth.Identity{}, problem.Field("subject", "Only the operator names it; without the operator's key you are given one.")
	}
	switch in.Role {
	case auth.Viewer:
		return anonymous, nil
	case auth.Rider, auth.Driver:
		id := guest(in.Role)
		secret, err := g.store.newSession(ctx, id)
		out.RefreshToken = secret
		return id, err
	}
	return auth.Identity{}, problem.New(problem.Forbidden, "The role %q takes the operator's key, in the header X-Operator-Key.", in.Role)
}

func (g *gateway) operatorIdentity(c *gin.Context, in tokenRequest, key string) (auth.Identity, error) {
	if g.cfg.OperatorKey == "" || subtle.ConstantTimeCompare([]byte(key), []byte(g.cfg.OperatorKey)) != 1 {
		return auth.Identity{}, problem.New(problem.Forbidden, "That is not the operator's key.")
	}
	id := auth.Identity{Role: in.Role, Subject: in.Subject}
	if in.Role == auth.Viewer && id.Subject == "" {
		return anonymous, nil
	}
	if err := checkSubject(id.Subject); err != nil {
		return id, err
	}
	if id.Role == auth.Rider || id.Role == auth.Driver || id.Role == auth.Admin {
		return id, g.store.ensureAccount(c.Request.Context(), id)
	}
	return id, nil
}

func (g *gateway) giveTicket(w http.ResponseWriter, r *http.Request, id auth.Identity) {
	ticket, err := g.store.newTicket(r.Context(), id)
	if err != nil {
		g.env.Log.Warn("no socket ticket could be given", "err", err)
		writeProblem(w, problem.New(problem.Unavailable, "No ticket can be given now. Try again in a second."))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]string{"ticket": ticket}) // the client is gone if this fails
}

// serveSocket is GET /{role}/socket?ticket=…: the ticket is used up and the
// WebSocket is passed on to the map.
func (g *gateway) serveSocket(w http.ResponseWriter, r *http.Request, role auth.Role) {
	if r.Header.Get("Origin") != "" && !sameOrigin(r) {
		writeProblem(w, problem.New(problem.Forbidden, "This socket is for Tandem's own page."))
		return
	}
	id, err := g.store.useTicket(r.Context(), r.URL.Query().Get("ticket"))
	if err != nil || id.Role != role {
		writeProblem(w, problem.Wrap(err, problem.Unauthenticated, "The ticket has been used or is older than 30 seconds; ask for a new one."))
		return
	}
	out := r.Clone(r.Context())
	out.URL.Path, out.URL.RawPath, out.URL.RawQuery = "/v1/map", "", ""
	g.sendAs(w, out, id)
}

// sessionCache spares a look-up for each request of a page. A session that
// ended elsewhere lives on here for at most cacheLife.
type sessionCache struct {
	mu sync.Mutex
	by map[string]cachedSession
}

type cachedSession struct {
	id    auth.Identity
	until time.Time
}

const (
	cacheLife  = time.Minute
	cacheLimit = 10_000
)

func newSessionCache() *sessionCache { return &sessionCache{by: map[string]cachedSession{}} }

func (s *sessionCache) get(secret string) (auth.Identity, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.by[secret]
	return e.id, ok && time.Now().Before(e.until)
}

func (s *sessionCache) put(secret string, id auth.Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.by) >= cacheLimit {
		clear(s.by)
	}
	s.by[secret] = cachedSession{id, time.Now().Add(cacheLife)}
}

func (s *sessionCache) drop(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.by, secret)
}
