package httpserver

import (
	"context"
	"errors"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tandem/services/internal/auth"
)

// Status is the answer to GET /v1/status.
type Status struct {
	Service    string    `json:"service"`
	PID        int       `json:"pid"`
	StartedAt  time.Time `json:"started_at"`
	Goroutines int       `json:"goroutines"`
	RSSBytes   int64     `json:"rss_bytes"` // 0 where the system does not tell
	// NotReady says why, for each check that fails.
	NotReady map[string]string `json:"not_ready,omitempty"`
	// Advice is those of NotReady that are a sentence for people, what to do; the
	// others are errors, for a log.
	Advice map[string]string `json:"advice,omitempty"`
	Detail any               `json:"detail,omitempty"`
}

// adviser is an error that may be shown to anybody: one sentence that says what is
// set up wrongly and how to put it right. Other errors may contain what strangers
// must not see, such as addresses: they are shown only in the log, and in
// /v1/status, which needs a role.
type adviser interface{ Advice() string }

func advice(err error) (string, bool) {
	var a adviser
	if !errors.As(err, &a) {
		return "", false
	}
	return a.Advice(), true
}

const (
	readyWithin  = 2 * time.Second // each check, for /readyz
	statusWithin = time.Second     // the same, for /v1/status: the console does not wait long
)

// Builtin returns what a server with these options answers beside its own Routes.
func Builtin(o Options) []Route { return (&server{Options: o}).builtin() }

func (s *server) builtin() []Route {
	operators := []auth.Role{auth.Service, auth.Admin}
	metrics := promhttp.HandlerFor(s.Env.Metrics, promhttp.HandlerOpts{})

	return []Route{
		{Method: http.MethodGet, Path: "/healthz", Public: true, Handle: func(c *gin.Context) error {
			c.String(http.StatusOK, "ok")
			return nil
		}},
		{Method: http.MethodGet, Path: "/readyz", Public: true, Handle: s.readyz},
		{Method: http.MethodGet, Path: "/metrics", Public: !s.PrivateMetrics, Roles: operators, Handle: func(c *gin.Context) error {
			metrics.ServeHTTP(c.Writer, c.Request)
			return nil
		}},
		{Method: http.MethodGet, Path: "/v1/status", Roles: operators, Handle: s.status},
	}
}

// readyz answers 200 with every check "ok", or 503 naming what fails.
func (s *server) readyz(c *gin.Context) error {
	code, checks := http.StatusOK, map[string]string{}
	if s.life.Err() != nil {
		code, checks["draining"] = http.StatusServiceUnavailable, "the service is shutting down"
	}

	failing := s.check(c.Request.Context(), readyWithin)
	for _, check := range s.Ready {
		checks[check.Name] = "ok"
		err, bad := failing[check.Name]
		if !bad {
			continue
		}

		// Anybody may ask this: only an adviser's sentence is shown.
		code, checks[check.Name] = http.StatusServiceUnavailable, "failing"
		if text, ok := advice(err); ok {
			checks[check.Name] = text
		}
	}

	c.JSON(code, gin.H{"service": s.Name, "checks": checks})
	return nil
}

// check runs the checks and returns the errors of those that fail, by name. They run
// side by side, each with a deadline of its own: a dependency that hangs must not
// make those after it look as if they did.
func (s *server) check(ctx context.Context, within time.Duration) map[string]error {
	errs := make([]error, len(s.Ready))
	var wg sync.WaitGroup
	for i, check := range s.Ready {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, within)
			defer cancel()
			errs[i] = check.Run(ctx)
		})
	}
	wg.Wait()

	failing := map[string]error{}
	for i, check := range s.Ready {
		if errs[i] != nil {
			failing[check.Name] = errs[i]
		}
		s.noteReady(check.Name, errs[i])
	}
	return failing
}

// noteReady logs a check's changes: once when it begins to fail, and once when it
// passes again. A log line for each look would hide all others.
func (s *server) noteReady(check string, err error) {
	s.failingLock.Lock()
	defer s.failingLock.Unlock()

	before := s.failing[check]
	s.failing[check] = err != nil
	switch {
	case err != nil && !before:
		s.Env.Log.Warn("not ready", "check", check, "err", err)
	case err == nil && before:
		s.Env.Log.Info("ready again", "check", check)
	}
}

func (s *server) status(c *gin.Context) error {
	out := Status{
		Service: s.Name, PID: os.Getpid(), StartedAt: s.started.UTC(),
		Goroutines: runtime.NumGoroutine(), RSSBytes: residentBytes(),
	}

	for name, err := range s.check(c.Request.Context(), statusWithin) {
		if out.NotReady == nil {
			out.NotReady, out.Advice = map[string]string{}, map[string]string{}
		}
		out.NotReady[name] = err.Error()
		if text, ok := advice(err); ok {
			out.NotReady[name], out.Advice[name] = text, text
		}
	}

	if s.Status != nil {
		out.Detail = s.Status()
	}
	c.JSON(http.StatusOK, out)
	return nil
}

// residentBytes returns the process's resident memory, or 0 where there is no /proc.
func residentBytes() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}

	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}

	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
