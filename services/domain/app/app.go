// Package app is what the apps of riders and drivers do over Tandem's public
// API: ask for tokens, book, answer offers, drive, and send points with
// sequence numbers that rise for ever. The simulator and tools/feed are made
// of it; it speaks HTTP only and knows nothing of what is behind the gateway.
//
// Calls are tried again with backoff while Tandem cannot be reached or answers
// that a part of it is restarting, for as long as the caller's context lives.
// That is safe: a booking carries its Idempotency-Key, a point its sequence
// number, and an action on a ride that was done already is not an error.
package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"tandem/services/internal/auth"
	"tandem/services/internal/problem"
)

// Options says where Tandem is.
type Options struct {
	GatewayURL  string
	OperatorKey string // from the run file; lets the caller name its riders and drivers
}

// API is Tandem as a program sees it. It is safe for concurrent use.
type API struct {
	opts Options
	http *http.Client
}

// New makes an API; no request is sent.
func New(o Options) *API {
	return &API{opts: o, http: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 256, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: 35 * time.Second,
	}}}
}

// As makes a session of one identity. Its token is asked for at the first call
// and again before it expires.
func (a *API) As(role auth.Role, subject string) *Session {
	return &Session{api: a, who: auth.Identity{Role: role, Subject: subject}, token: &token{}}
}

// Session is one person's app, or an importer's. It is safe for concurrent use.
type Session struct {
	api    *API
	who    auth.Identity
	token  *token
	driver string // an importer acts for this driver
}

// For gives a session that acts for one driver with an importer's token.
func (s *Session) For(driver string) *Session {
	out := *s
	out.driver = driver
	return &out
}

// Subject is who the session speaks for.
func (s *Session) Subject() string {
	if s.driver != "" {
		return s.driver
	}
	return s.who.Subject
}

type token struct {
	mu      sync.Mutex
	value   string
	expires time.Time
}

// renewBefore is how long before its end a token is no longer used.
const renewBefore = time.Minute

func (s *Session) bearer(ctx context.Context) (string, error) {
	s.token.mu.Lock()
	defer s.token.mu.Unlock()
	if time.Until(s.token.expires) > renewBefore {
		return s.token.value, nil
	}
	var out struct {
		Token     string `json:"token"`
		ExpiresAt int64  `json:"expires_at"`
	}
	in := map[string]string{"role": string(s.who.Role), "subject": s.who.Subject}
	_, err := s.api.send(ctx, call{method: http.MethodPost, path: "/v1/tokens", in: in, out: &out,
		header: map[string]string{"X-Operator-Key": s.api.opts.OperatorKey}})
	if err != nil {
		return "", fmt.Errorf("token for %s %s: %w", s.who.Role, s.who.Subject, err)
	}
	s.token.value, s.token.expires = out.Token, time.UnixMilli(out.ExpiresAt)
	return s.token.value, nil
}

// call is one request.
type call struct {
	method, path string
	in, out      any
	header       map[string]string
}

// errUnreachable is a request that got no answer.
var errUnreachable = errors.New("tandem cannot be reached")

// do sends c with the session's token until it is answered by something other
// than "try again", or ctx ends. It returns the last status, 0 where no answer
// came.
func (s *Session) do(ctx context.Context, c call) (status int, err error) {
	policy := backoff.NewExponentialBackOff()
	policy.InitialInterval, policy.MaxInterval = 100*time.Millisecond, 2*time.Second
	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		var err error
		status, err = s.once(ctx, c)
		if err != nil && !Temporary(err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(policy), backoff.WithMaxElapsedTime(0))
	return status, err
}

// once sends c with the session's token one time.
func (s *Session) once(ctx context.Context, c call) (status int, err error) {
	bearer, err := s.bearer(ctx)
	if err != nil {
		return 0, err
	}
	header := map[string]string{"Authorization": "Bearer " + bearer}
	for k, v := range c.header {
		header[k] = v
	}
	c.header = header
	return s.api.send(ctx, c)
}

// Temporary says whether the same request may well succeed a moment later.
func Temporary(err error) bool {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Code == problem.Unavailable || p.Code == problem.TooMany
	}
	return errors.Is(err, errUnreachable)
}

// IsCode says whether err is a problem of the given code.
func IsCode(err error, code problem.Code) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Code == code
}

const (
	maxAnswer   = 16 << 20
	callTimeout = 40 * time.Second
)

func (a *API) send(ctx context.Context, c call) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var body io.Reader = http.NoBody
	if c.in != nil {
		b, err := json.Marshal(c.in)
		if err != nil {
			return 0, fmt.Errorf("%s %s: %w", c.method, c.path, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, a.opts.GatewayURL+c.path, body)
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", c.method, c.path, err)
	}
	for k, v := range c.header {
		req.Header.Set(k, v)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.http.Do(req)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errUnreachable, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errUnreachable, err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return resp.StatusCode, decodeProblem(resp.StatusCode, answer)
	}
	if c.out == nil {
		return resp.StatusCode, nil
	}
	if err := json.Unmarshal(answer, c.out); err != nil {
		return resp.StatusCode, fmt.Errorf("%s %s: the answer cannot be read: %w", c.method, c.path, err)
	}
	return resp.StatusCode, nil
}

func decodeProblem(status int, body []byte) error {
	p := &problem.Error{}
	if err := json.Unmarshal(body, p); err == nil && p.Code != "" {
		return p
	}
	code := problem.Internal
	if status >= http.StatusBadGateway {
		code = problem.Unavailable
	}
	return problem.New(code, "answered %d without saying why", status)
}

// onBehalf adds the driver that an importer acts for to a query.
func (s *Session) onBehalf(path string) string {
	if s.driver == "" {
		return path
	}
	return path + "?driver_id=" + url.QueryEscape(s.driver)
}
