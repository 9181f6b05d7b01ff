package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// anonymous is who looks at the map before any login.
var anonymous = auth.Identity{Subject: "viewer", Role: auth.Viewer}

var errLogin = &problem.Error{Code: problem.Unauthenticated, Detail: "You are not signed in here, or your session has ended. Sign in again."}

// browser answers what a browser asks beneath one role's path.
type browser struct {
	*gateway
	role auth.Role
	api  http.Handler
}

func (b browser) prefix() string { return "/" + string(b.role) }

// request is /{role}/v1/…: the role's cookie becomes a token.
func (b browser) request(w http.ResponseWriter, r *http.Request) {
	id, ok := b.admit(w, r)
	if !ok {
		return
	}

	out := r.Clone(r.Context())
	out.URL.Path, out.URL.RawPath = strings.TrimPrefix(r.URL.Path, b.prefix()), ""
	b.sendAs(w, out, id)
}

// ticket is POST /{role}/v1/socket-ticket. A WebSocket's handshake cannot carry
// a header of the page's, so it carries a ticket that works once.
func (b browser) ticket(w http.ResponseWriter, r *http.Request) {
	id, ok := b.admit(w, r)
	if !ok {
		return
	}

	// Each ticket is a row.
	if err := b.tickets.Admit(httpserver.Person(r, id)); err != nil {
		httpserver.WriteProblem(w, err)
		return
	}
	ticket, err := b.store.newTicket(r.Context(), id)
	if err != nil {
		b.env.Log.Warn("no socket ticket could be created", "err", err)
		httpserver.WriteProblem(w, problem.New(problem.Unavailable, "No ticket can be created now. Try again in a second."))
		return
	}

	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]string{"ticket": ticket}) // this fails only when the client has gone
}

// socket is GET /{role}/socket?ticket=…: the ticket is used up, and the
// WebSocket is passed on to the map.
func (b browser) socket(w http.ResponseWriter, r *http.Request) {
	// A browser sends Origin with every handshake, and httpserver has refused another
	// page's. A program need not: it has the ticket.
	id, err := b.store.useTicket(r.Context(), r.URL.Query().Get("ticket"))
	if err != nil || id.Role != b.role {
		httpserver.WriteProblem(w, b.unknown(r, problem.Wrap(err, problem.Unauthenticated, "The ticket has been used or is older than 30 seconds; ask for a new one.")))
		return
	}

	out := r.Clone(r.Context())
	out.URL.Path, out.URL.RawPath, out.URL.RawQuery = "/v1/map", "", ""
	b.sendAs(w, out, id)
}

// admit returns who asks, by the role's cookie. If the request is refused, admit
// has answered it and ok is false.
func (b browser) admit(w http.ResponseWriter, r *http.Request) (id auth.Identity, ok bool) {
	// The browser sends the cookie with any page's request. Only Origin tells
	// which page asks, so what changes something must come from ours.
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !httpserver.FromOwnPage(r) {
		httpserver.WriteProblem(w, problem.New(problem.Forbidden, "This may only be asked by Tandem's own page."))
		return id, false
	}

	id, err := b.identify(r, b.role)
	if err != nil {
		httpserver.WriteProblem(w, err)
		return id, false
	}
	return id, true
}

// sendAs passes r on with a token for id.
func (b browser) sendAs(w http.ResponseWriter, r *http.Request, id auth.Identity) {
	token, err := b.cfg.Auth.Sign(id, auth.MaxLife)
	if err != nil {
		httpserver.WriteProblem(w, err)
		return
	}

	r.Header.Set("Authorization", "Bearer "+token)
	b.passOn(w, r, id, b.api)
}

// passOn passes r on to the services behind, if the person has not as much under way
// as one may have; signing out ends it.
func (g *gateway) passOn(w http.ResponseWriter, r *http.Request, id auth.Identity, api http.Handler) {
	ctx, done, err := g.underWay.Begin(r.Context(), httpserver.Person(r, id))
	if err != nil {
		httpserver.WriteProblem(w, err)
		return
	}
	defer done()
	api.ServeHTTP(w, r.WithContext(ctx))
}

// program is /v1/… with a bearer token, which the service itself checks: here it
// only tells whose request it is. Who has none is counted by address.
func (g *gateway) program(api http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, _ := httpserver.Identify(r, g.cfg.Auth)
		if id.Role == auth.Importer || id.Role == auth.Service {
			api.ServeHTTP(w, r) // it acts for many people
			return
		}
		g.passOn(w, r, id, api)
	}
}

// identify returns who a browser's request is from, by the role's cookie.
func (g *gateway) identify(r *http.Request, role auth.Role) (auth.Identity, error) {
	if role == auth.Viewer {
		return anonymous, nil
	}

	cookie, err := r.Cookie(cookieName(role))
	if err != nil {
		return auth.Identity{}, errLogin
	}
	if id, ok := g.sessions.Get(cookie.Value); ok && id.Role == role {
		return id, nil
	}

	id, err := g.store.session(r.Context(), cookieSession, cookie.Value)
	switch {
	case errors.Is(err, errNoSession):
		return auth.Identity{}, g.unknown(r, errLogin)
	case err != nil:
		return auth.Identity{}, problem.Wrap(err, problem.Unavailable, "Sessions cannot be looked up now. Try again in a second.")
	case id.Role != role:
		return auth.Identity{}, errLogin // the cookie of one role opens no other
	}

	g.sessions.Add(cookie.Value, id)
	return id, nil
}

// unknown returns err, or that it was tried too often: each cookie, ticket or refresh
// token that nobody has costs a query. Known ones do not count, so whoever has one is
// not kept waiting by who tries them at the same address.
func (g *gateway) unknown(r *http.Request, err error) error {
	if limited := g.secrets.Admit(httpserver.Client(r)); limited != nil {
		return limited
	}
	return err
}

func cookieName(role auth.Role) string { return "tandem_" + string(role) }

// setCookie scopes the cookie to the role's own path: a request to /rider
// never carries what an admin is. /session/{role} lies outside that path, so a
// second cookie of the same value is scoped there. A maxAge (in seconds) below 0
// deletes both.
func setCookie(w http.ResponseWriter, r *http.Request, role auth.Role, value string, maxAge int) {
	for _, path := range []string{"/" + string(role), "/session/" + string(role)} {
		http.SetCookie(w, &http.Cookie{
			Name: cookieName(role), Value: value, Path: path, MaxAge: maxAge, HttpOnly: true,
			SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
		})
	}
}
