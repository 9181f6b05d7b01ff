// Package client is what the apps of riders and drivers do over Tandem's public
// API: ask for tokens, book, answer offers, drive, and send points. The
// simulator and tools/feed are built on it; it speaks HTTP only and knows
// nothing of what is behind the gateway.
//
// # Words
//
//	API      where Tandem is; shared by all sessions
//	Session  one person's app, or an importer's: whose token is sent
//	Track    a driver's points until they are durable
//	Driver   a driver that serves rides by itself, as its Policy says
//	Entry    a line of the ledger: what was asked and what was answered
//
// # Trying again
//
// Calls are tried again with backoff while Tandem cannot be reached, or answers
// that a part of it is restarting, for as long as the caller's context lives.
// That is safe: a booking carries its Idempotency-Key, a point its sequence
// number, and an action on a ride that was done already is not an error.
//
// # Offline
//
// Points wait in a Track, in order, until an answer names them: a Driver keeps ten
// minutes of fixes. Where more would wait, the oldest that is not in flight is dropped
// and counted, and the driver logs that. The web app does the same (autopilot.ts).
package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/problem"
)

// Options says where Tandem is.
type Options struct {
	GatewayURL  string
	OperatorKey string // from the run file; lets the caller name its riders and drivers

	OnRetry func(error) // hears of each failure that is tried again; may be nil
}

// API is Tandem as a program sees it. It is safe for concurrent use.
type API struct {
	opts Options
	http *httpclient.Client // without a token; sessions share its connections
}

// New returns an API; no request is sent.
func New(o Options) *API {
	return &API{opts: o, http: httpclient.New(o.GatewayURL, httpclient.Options{
		Timeout: 40 * time.Second, FirstByte: 35 * time.Second, Connections: 256,
		Retry: httpclient.Retry{First: 100 * time.Millisecond, Most: 2 * time.Second, If: Temporary, Notify: o.OnRetry},
	})}
}

// As returns a session of one identity. Its token is asked for at the first
// call and again before it expires.
func (a *API) As(role auth.Role, subject string) *Session {
	who := auth.Identity{Role: role, Subject: subject}

	token := func(ctx context.Context) (string, time.Time, error) { return a.token(ctx, who) }
	return &Session{http: a.http.As(httpclient.Fetched(token)), who: who}
}

// token asks once: it is asked for within a call, which is tried again as a
// whole.
func (a *API) token(ctx context.Context, who auth.Identity) (token string, expires time.Time, err error) {
	var out struct {
		Token     string `json:"token"`
		ExpiresAt int64  `json:"expires_at"`
	}

	_, err = a.http.Once(ctx, httpclient.Request{
		Method: http.MethodPost, Path: "/v1/tokens", Out: &out,
		In:     map[string]string{"role": string(who.Role), "subject": who.Subject},
		Header: map[string]string{"X-Operator-Key": a.opts.OperatorKey},
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("token for %s %s: %w", who.Role, who.Subject, err)
	}

	return out.Token, time.UnixMilli(out.ExpiresAt), nil
}

// Session is one person's app, or an importer's. It is safe for concurrent use.
type Session struct {
	http   *httpclient.Client
	who    auth.Identity
	driver string // an importer acts for this driver
}

// For returns a session that acts for one driver with an importer's token.
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

// onBehalf adds the driver that an importer acts for to a path.
func (s *Session) onBehalf(path string) string {
	if s.driver == "" {
		return path
	}
	return path + "?driver_id=" + url.QueryEscape(s.driver)
}

// post sends in and decodes the answer into out, where that is not nil.
func (s *Session) post(ctx context.Context, path string, in, out any) error {
	_, err := s.http.Do(ctx, httpclient.Request{Method: http.MethodPost, Path: path, In: in, Out: out})
	return err
}

// Temporary reports whether the same request may well succeed a moment later.
func Temporary(err error) bool { return httpclient.Temporary(err) || IsCode(err, problem.TooMany) }

// IsCode reports whether err is a problem of the given code.
func IsCode(err error, code problem.Code) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Code == code
}
