package httpserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/problem"
)

type fixture struct {
	url    string
	signer *auth.Signer
	stop   context.CancelFunc
	ended  chan error
}

func start(t *testing.T, o httpserver.Options) *fixture {
	t.Helper()
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o.Name, o.Auth = "test", signer
	o.Env = lifecycle.Env{Listener: l, Hosts: o.Env.Hosts, MaxConnections: o.Env.MaxConnections, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}
	ctx, cancel := context.WithCancel(context.Background())
	f := &fixture{url: "http://" + l.Addr().String(), signer: signer, stop: cancel, ended: make(chan error, 1)}
	go func() { f.ended <- httpserver.Serve(ctx, o) }()
	t.Cleanup(cancel)
	return f
}

func (f *fixture) do(t *testing.T, method, path, body string, role auth.Role) (int, http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	if role != "" {
		token, err := f.signer.Sign(auth.Identity{Subject: "s1", Role: role}, time.Minute)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return send(t, req)
}

func send(t *testing.T, req *http.Request) (int, http.Header, []byte) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header, b
}

func TestErrorsBecomeProblemsInOnePlace(t *testing.T) {
	type input struct {
		Seats int `json:"seats"`
	}
	riders := []auth.Role{auth.Rider}
	f := start(t, httpserver.Options{
		Ready: []httpserver.Check{{Name: "queue", Run: func(context.Context) error { return errors.New("secret host is down") }}},
		Routes: []httpserver.Route{
			{Method: "POST", Path: "/v1/seats", Roles: riders, MaxBody: 64, Handle: func(c *gin.Context) error {
				var in input
				if err := httpserver.Bind(c, &in); err != nil {
					return err
				}
				if in.Seats > 4 {
					return problem.Field("seats", "%d is too many; at most 4.", in.Seats)
				}
				c.JSON(http.StatusOK, gin.H{"who": httpserver.Identity(c).Subject})
				return nil
			}},
			{Method: "GET", Path: "/v1/broken", Roles: riders, Handle: func(*gin.Context) error { return errors.New("password=hunter2") }},
			{Method: "GET", Path: "/v1/panics", Roles: riders, Handle: func(*gin.Context) error { panic("hunter2") }},
			{Method: "GET", Path: "/v1/limited", Roles: riders, Limit: httpserver.Limit{PerSecond: 0.001, Burst: 1}, Handle: func(c *gin.Context) error {
				c.Status(http.StatusNoContent)
				return nil
			}},
		},
	})
	cases := []struct {
		name, method, path, body string
		role                     auth.Role
		status                   int
		code                     problem.Code
		field                    string
	}{
		{name: "no token", method: "POST", path: "/v1/seats", status: 401, code: problem.Unauthenticated},
		{name: "wrong role", method: "POST", path: "/v1/seats", role: auth.Driver, status: 403, code: problem.Forbidden},
		{name: "empty body", method: "POST", path: "/v1/seats", role: auth.Rider, status: 400, code: problem.Invalid},
		{name: "wrong type", method: "POST", path: "/v1/seats", body: `{"seats":"two"}`, role: auth.Rider, status: 400, code: problem.Invalid, field: "seats"},
		{name: "unknown member", method: "POST", path: "/v1/seats", body: `{"sets":1}`, role: auth.Rider, status: 400, code: problem.Invalid, field: "sets"},
		{name: "two values", method: "POST", path: "/v1/seats", body: `{"seats":1}{}`, role: auth.Rider, status: 400, code: problem.Invalid},
		{name: "out of range", method: "POST", path: "/v1/seats", body: `{"seats":5}`, role: auth.Rider, status: 400, code: problem.Invalid, field: "seats"},
		{name: "too large", method: "POST", path: "/v1/seats", body: `{"seats":` + strings.Repeat(" ", 100) + `1}`, role: auth.Rider, status: 413, code: problem.TooLarge},
		{name: "internal", method: "GET", path: "/v1/broken", role: auth.Rider, status: 500, code: problem.Internal},
		{name: "panic", method: "GET", path: "/v1/panics", role: auth.Rider, status: 500, code: problem.Internal},
		{name: "no route", method: "GET", path: "/v1/nothing", status: 404, code: problem.NotFound},
		{name: "no method", method: "PUT", path: "/v1/seats", status: 405, code: problem.Invalid},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			status, header, body := f.do(t, tc.method, tc.path, tc.body, tc.role)
			require.Equal(t, tc.status, status, string(body))
			require.Equal(t, problem.ContentType, header.Get("Content-Type"))
			require.NotContains(t, string(body), "hunter2")
			var p problem.Error
			require.NoError(t, json.Unmarshal(body, &p))
			require.Equal(t, tc.code, p.Code)
			require.Equal(t, tc.field, p.Field)
			require.NotEmpty(t, p.Detail)
		})
	}

	status, _, body := f.do(t, "POST", "/v1/seats", `{"seats":2}`, auth.Rider)
	require.Equal(t, 200, status)
	require.JSONEq(t, `{"who":"s1"}`, string(body))

	status, _, _ = f.do(t, "GET", "/v1/limited", "", auth.Rider)
	require.Equal(t, 204, status)
	status, header, _ := f.do(t, "GET", "/v1/limited", "", auth.Rider)
	require.Equal(t, 429, status)
	require.Equal(t, "1000", header.Get("Retry-After"), "when the bucket has one again")

	status, _, body = f.do(t, "GET", "/readyz", "", "")
	require.Equal(t, 503, status)
	require.Contains(t, string(body), `"queue":"failing"`)
	require.NotContains(t, string(body), "secret")
	status, _, body = f.do(t, "GET", "/metrics", "", "")
	require.Equal(t, 200, status)
	require.Contains(t, string(body), "http_request_seconds")
}

// advice is an error that anybody may read.
type advice string

func (a advice) Error() string  { return "at a secret host: " + string(a) }
func (a advice) Advice() string { return string(a) }

func TestWhatIsNotReady(t *testing.T) {
	f := start(t, httpserver.Options{Ready: []httpserver.Check{
		{Name: "queue", Run: func(context.Context) error { return fmt.Errorf("worker: %w", advice("deploy it")) }},
		{Name: "database", Run: func(context.Context) error { return errors.New("secret host is down") }},
		{Name: "stream", Run: func(context.Context) error { return nil }},
	}})
	status, _, body := f.do(t, "GET", "/readyz", "", "")
	require.Equal(t, 503, status)
	require.JSONEq(t, `{"queue":"deploy it","database":"failing","stream":"ok"}`, memberOf(t, body, "checks"))
	_, _, body = f.do(t, "GET", "/v1/status", "", auth.Admin)
	require.JSONEq(t, `{"queue":"deploy it","database":"secret host is down"}`, memberOf(t, body, "not_ready"), "who runs it may know")
}

// A dependency that hangs uses up its own time, and not that of those after it.
func TestChecksRunSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		slow := func(ctx context.Context) error {
			select {
			case <-ctx.Done():
			case <-time.After(1900 * time.Millisecond):
			}
			return ctx.Err()
		}
		h, err := httpserver.NewHandler(t.Context(), httpserver.Options{
			Env:   lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
			Ready: []httpserver.Check{{Name: "stream", Run: hangs}, {Name: "database", Run: slow}, {Name: "queue", Run: slow}},
		})
		require.NoError(t, err)

		began := time.Now()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
		require.Equal(t, 2*time.Second, time.Since(began))
		require.JSONEq(t, `{"stream":"failing","database":"ok","queue":"ok"}`, memberOf(t, w.Body.Bytes(), "checks"))
	})
}

// memberOf returns one member of an object.
func memberOf(t *testing.T, body []byte, member string) string {
	t.Helper()
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(body, &all))
	return string(all[member])
}

func TestARouteWithoutRolesIsRefused(t *testing.T) {
	_, err := httpserver.NewHandler(t.Context(), httpserver.Options{
		Env:    lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
		Routes: []httpserver.Route{{Method: "GET", Path: "/v1/open", Handle: func(*gin.Context) error { return nil }}},
	})
	require.ErrorContains(t, err, "/v1/open names no role")
}

func TestDrainFinishesRequestsAndEndsStreams(t *testing.T) {
	entered, release := make(chan struct{}, 2), make(chan struct{})
	f := start(t, httpserver.Options{Routes: []httpserver.Route{
		{Method: "GET", Path: "/slow", Public: true, Handle: func(c *gin.Context) error {
			entered <- struct{}{}
			<-release
			c.String(http.StatusOK, "finished")
			return nil
		}},
		{Method: "GET", Path: "/stream", Public: true, Stream: true, Handle: func(c *gin.Context) error {
			entered <- struct{}{}
			<-c.Request.Context().Done()
			c.String(http.StatusOK, "ended")
			return nil
		}},
	}})
	answers := make(chan string, 2)
	for _, path := range []string{"/slow", "/stream"} {
		go func() {
			resp, err := http.Get(f.url + path)
			if err != nil {
				answers <- err.Error()
				return
			}
			defer func() { _ = resp.Body.Close() }()
			body, _ := io.ReadAll(resp.Body)
			answers <- string(body)
		}()
	}
	<-entered
	<-entered
	f.stop()
	require.Equal(t, "ended", <-answers)
	close(release)
	require.Equal(t, "finished", <-answers)
	require.NoError(t, <-f.ended)
}

// One person has so many streams open, by whatever connection; others have theirs.
func TestStreamsOfOnePersonAreBounded(t *testing.T) {
	f := start(t, httpserver.Options{Routes: []httpserver.Route{{
		Method: "GET", Path: "/v1/events", Roles: []auth.Role{auth.Rider, auth.Importer}, Stream: true, Handle: func(c *gin.Context) error {
			c.Writer.Flush()
			<-c.Request.Context().Done()
			return nil
		},
	}}})
	open := func(subject string, role auth.Role) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/v1/events", nil)
		require.NoError(t, err)
		token, err := f.signer.Sign(auth.Identity{Subject: subject, Role: role}, time.Minute)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}

	first := open("rita", auth.Rider)
	for range httpserver.MaxStreams - 1 {
		require.Equal(t, 200, open("rita", auth.Rider).StatusCode)
	}
	refused := open("rita", auth.Rider)
	require.Equal(t, 429, refused.StatusCode)
	require.NotEmpty(t, refused.Header.Get("Retry-After"))
	require.Equal(t, 200, open("otto", auth.Rider).StatusCode)
	for range httpserver.MaxStreams + 1 {
		require.Equal(t, 200, open("feed", auth.Importer).StatusCode)
	}

	require.NoError(t, first.Body.Close())
	require.Eventually(t, func() bool { return open("rita", auth.Rider).StatusCode == http.StatusOK }, 30*time.Second, 20*time.Millisecond)
}

// A dependency that restarts is not this service's fault: clients try again on a
// 503, and give up on a 500.
func TestADependencyThatIsAwayIsUnavailable(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, tc := range map[string]struct {
		err    error
		status int
	}{
		"Postgres shuts down":     {&pgconn.PgError{Code: "57P01"}, http.StatusServiceUnavailable},
		"Postgres starts":         {&pgconn.PgError{Code: "57P03"}, http.StatusServiceUnavailable},
		"a connection that broke": {&pgconn.PgError{Code: "08006"}, http.StatusServiceUnavailable},
		"nobody listens":          {refused, http.StatusServiceUnavailable},
		"cut off":                 {io.ErrUnexpectedEOF, http.StatusServiceUnavailable},
		"a lock not in time":      {&pgconn.PgError{Code: "55P03"}, http.StatusServiceUnavailable},
		"a deadlock":              {&pgconn.PgError{Code: "40P01"}, http.StatusServiceUnavailable},
		"a fault of ours":         {&pgconn.PgError{Code: "42601"}, http.StatusInternalServerError},
	} {
		w := httptest.NewRecorder()
		httpserver.WriteProblem(w, fmt.Errorf("look up session: %w", tc.err))
		require.Equal(t, tc.status, w.Code, name)
		require.Equal(t, tc.status == http.StatusServiceUnavailable, w.Header().Get("Retry-After") != "", name)
		require.NotContains(t, w.Body.String(), "session", "nothing internal leaks")
	}
}
