package httpserver

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/problem"
)

type server struct {
	Options
	started time.Time
	life    context.Context // its end begins the drain
	metrics *metrics
	streams *Cap // for each person

	failingLock sync.Mutex
	failing     map[string]bool // checks of /readyz, as of the last look
}

func (s *server) engine() (http.Handler, error) {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.ContextWithFallback = true

	// Client finds out the address of whoever asks; gin must not do it as well.
	if err := e.SetTrustedProxies(nil); err != nil {
		return nil, fmt.Errorf("httpserver: %w", err)
	}

	routes := append(s.builtin(), s.Routes...)
	if s.Env.Traces != nil {
		e.Use(s.spans(routes))
	}

	e.NoRoute(func(c *gin.Context) {
		if s.NoRoute != nil {
			c.Status(http.StatusOK) // gin starts at 404 here
			s.NoRoute.ServeHTTP(c.Writer, c.Request)
			return
		}
		s.fail(c, problem.New(problem.NotFound, "There is nothing at %s.", c.Request.URL.Path))
	})
	e.NoMethod(func(c *gin.Context) {
		writeProblem(c.Writer, http.StatusMethodNotAllowed, problem.New(problem.Invalid, "%s is not allowed at %s.", c.Request.Method, c.Request.URL.Path))
	})

	for _, r := range routes {
		if len(r.Roles) == 0 && !r.Public {
			return nil, fmt.Errorf("httpserver: %s %s names no role and is not public", r.Method, r.Path)
		}
		e.Handle(r.Method, r.Path, s.handler(r))
	}
	return e, nil
}

// handler wraps a route: trace, limits, token, role, deadline, error mapping.
func (s *server) handler(r Route) gin.HandlerFunc {
	maxBody := r.MaxBody
	if maxBody == 0 {
		maxBody = DefaultMaxBody
	}
	limits := limits{person: NewLimiter(r.Limit), address: NewLimiter(r.PerAddress)}

	return func(c *gin.Context) {
		began := time.Now()
		ctx, cancel := s.requestContext(c, r)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxBody)

		// One request that panics must not end the others of this process.
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					s.metrics.observe(r, c.Writer.Status(), time.Since(began))
					panic(p) // a stream is cut, or a proxied one's client has gone: net/http closes the connection
				}
				s.fail(c, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
			s.metrics.observe(r, c.Writer.Status(), time.Since(began))
		}()

		done, err := s.admit(c, r, limits)
		if err != nil {
			s.fail(c, err)
			return
		}
		defer done()
		if err := r.Handle(c); err != nil {
			s.fail(c, err)
		}
	}
}

// requestContext bounds a request: a stream ends when draining begins, any other
// after Timeout.
func (s *server) requestContext(c *gin.Context, r Route) (context.Context, context.CancelFunc) {
	ctx := withTrace(c)
	if r.Stream {
		ctx, cancel := context.WithCancel(ctx)
		stop := context.AfterFunc(s.life, cancel)
		return ctx, func() { stop(); cancel() }
	}

	// The write deadline is later, so that the answer "it took too long" gets out.
	rc := http.NewResponseController(c.Writer)
	_ = rc.SetReadDeadline(time.Now().Add(s.Timeout)) // not every writer has deadlines
	_ = rc.SetWriteDeadline(time.Now().Add(s.Timeout + 5*time.Second))
	return context.WithTimeout(ctx, s.Timeout)
}

// limits are a route's.
type limits struct{ person, address *Limiter }

// admit checks token, role, rate, and how many streams the person has. The caller
// calls done when the request has been answered.
func (s *server) admit(c *gin.Context, r Route, l limits) (done func(), err error) {
	id, err := Identify(c.Request, s.Auth)
	switch {
	case err == nil:
		c.Request = c.Request.WithContext(auth.WithIdentity(c.Request.Context(), id))
	case r.Public && errors.Is(err, errNoToken):
	default:
		return nil, err
	}

	if !r.Public && !hasRole(r.Roles, id.Role) {
		return nil, problem.New(problem.Forbidden, "The role %q may not do this; it takes %s.", id.Role, joinRoles(r.Roles))
	}
	if forMany(id.Role) {
		return func() {}, nil
	}

	// After the token, so that a person is limited and not an address, which many may
	// share.
	person := Person(c.Request, id)
	if err := l.person.Admit(person); err != nil {
		return nil, err
	}
	if err := l.address.Admit(Client(c.Request)); err != nil {
		return nil, err
	}
	if !r.Stream {
		return func() {}, nil
	}

	ctx, done, err := s.streams.Begin(c.Request.Context(), person)
	if err != nil {
		return nil, err
	}
	c.Request = c.Request.WithContext(ctx)
	return done, nil
}

// perAddress bounds what one client address has under way, whoever asks: the token
// costs nothing that is made by one click.
func perAddress(next http.Handler, o Options) http.Handler {
	if o.MaxPerAddress == 0 {
		return next
	}
	addresses := NewCap(o.MaxPerAddress, "address")

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, err := Identify(r, o.Auth); err == nil && forMany(id.Role) {
			next.ServeHTTP(w, r)
			return
		}

		ctx, done, err := addresses.Begin(r.Context(), Client(r))
		if err != nil {
			WriteProblem(w, err)
			return
		}
		defer done()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

var errNoToken = &problem.Error{Code: problem.Unauthenticated, Detail: "Send a token: Authorization: Bearer <token>."}

// Identify returns whom the request's token speaks for. The error is a
// *problem.Error.
func Identify(r *http.Request, signer *auth.Signer) (auth.Identity, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || signer == nil {
		return auth.Identity{}, errNoToken
	}

	id, err := signer.Verify(token)
	if errors.Is(err, auth.ErrExpired) {
		return id, problem.Wrap(err, problem.Unauthenticated, "The token has expired; ask for a new one.")
	}
	if err != nil {
		return id, problem.Wrap(err, problem.Unauthenticated, "The token is not valid; ask for a new one.")
	}
	return id, nil
}

// fail logs an error as its kind deserves, and answers with it.
func (s *server) fail(c *gin.Context, err error) {
	p := mapError(err)

	log := s.Env.Log.With("method", c.Request.Method, "path", c.Request.URL.Path, "trace_id", httpclient.TraceID(c.Request.Context()))
	switch p.Code {
	case problem.Internal:
		log.Error("request failed", "err", err)
	case problem.Unavailable:
		log.Warn("request failed: a dependency did not answer", "err", err)
	default:
		log.Debug("request refused", "err", err)
	}

	// After an answer has begun, its status can no longer be changed.
	if !c.Writer.Written() {
		writeProblem(c.Writer, p.Code.Status(), p)
	}
	c.Abort()
}

func hasRole(roles []auth.Role, r auth.Role) bool {
	for _, x := range roles {
		if x == r {
			return true
		}
	}
	return false
}

func joinRoles(roles []auth.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, " or ")
}

func serverLog(l *slog.Logger) *log.Logger { return slog.NewLogLogger(l.Handler(), slog.LevelDebug) }
