// Package httpclient speaks JSON over HTTP with Tandem's services: each request
// carries a token from a TokenSource and the trace id of its context, an answer
// of 400 or above becomes a *problem.Error, temporary failures are retried with
// backoff, and Events reads server-sent events.
package httpclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"tandem/services/internal/auth"
	"tandem/services/internal/problem"
)

// Options are a client's limits. What is zero has no limit.
type Options struct {
	Timeout     time.Duration // for one request and its answer; Events has none
	FirstByte   time.Duration // for the head of an answer, that of Events too
	Connections int           // idle connections kept
	Retry       Retry
}

// Retry says which failures Do tries again, and for how long.
type Retry struct {
	First, Most time.Duration    // pause after the first failure, and the longest
	For         time.Duration    // 0: as long as the context lives
	If          func(error) bool // nil: Temporary
	Notify      func(error)      // hears of each failure that is tried again; may be nil
}

// Client asks one server. It is safe for concurrent use.
type Client struct {
	base    string
	token   TokenSource
	http    *http.Client
	opts    Options
	silence time.Duration
}

// New returns a client of the server at base (http://host:port) whose requests
// carry no token; As adds one.
func New(base string, o Options) *Client {
	return &Client{base: base, opts: o, silence: silentFor, http: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: o.Connections, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: o.FirstByte,
	}}}
}

// As returns a client on the same connections that speaks with token's tokens.
func (c *Client) As(token TokenSource) *Client {
	out := *c
	out.token = token
	return &out
}

// ForService returns the client with which the named service asks another at
// base. It gives up after 20 s: a caller waits behind it.
func ForService(base string, signer *auth.Signer, name string) *Client {
	return New(base, Options{
		Timeout: 30 * time.Second, FirstByte: 20 * time.Second, Connections: 16,
		Retry: Retry{First: 50 * time.Millisecond, Most: 2 * time.Second, For: 20 * time.Second},
	}).As(Signed(signer, auth.Identity{Subject: name, Role: auth.Service}))
}

// Request is one request. In is its JSON body and Out takes the answer's, each
// where it is not nil; OutHeader takes its header.
type Request struct {
	Method, Path string
	In, Out      any
	Header       map[string]string
	OutHeader    *http.Header
}

// ErrUnreachable is wrapped where no answer came, or not all of it.
var ErrUnreachable = errors.New("the server cannot be reached")

// Temporary reports whether the same request may succeed a moment later.
func Temporary(err error) bool {
	var p *problem.Error
	return errors.Is(err, ErrUnreachable) || errors.As(err, &p) && p.Code == problem.Unavailable
}

// Get asks for path with Do and decodes the answer into out.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	_, err := c.Do(ctx, Request{Method: http.MethodGet, Path: path, Out: out})
	return err
}

// Do sends r, again as Options.Retry says: r must be safe to repeat. It returns
// what the last Once returned.
func (c *Client) Do(ctx context.Context, r Request) (status int, err error) {
	retry := c.opts.Retry
	again := retry.If
	if again == nil {
		again = Temporary
	}

	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = retry.First, retry.Most

	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		var err error
		status, err = c.Once(ctx, r)
		if err != nil && !again(err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(retry.For), backoff.WithNotify(func(err error, _ time.Duration) {
		if retry.Notify != nil {
			retry.Notify(err)
		}
	}))
	return status, err
}

// maxAnswer bounds the answer that Once reads.
const maxAnswer = 16 << 20

// Once sends r one time. It returns the answer's HTTP status, 0 where none
// came, and an error that wraps ErrUnreachable or a *problem.Error where the
// server is the reason.
func (c *Client) Once(ctx context.Context, r Request) (status int, err error) {
	if c.opts.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.opts.Timeout)
		defer cancel()
	}

	resp, err := c.send(ctx, r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if r.OutHeader != nil {
		*r.OutHeader = resp.Header
	}

	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, fmt.Errorf("%w: %s %s: %w", ErrUnreachable, r.Method, r.Path, err)
	}

	if resp.StatusCode >= http.StatusBadRequest {
		return resp.StatusCode, decodeProblem(resp.StatusCode, answer)
	}

	if r.Out == nil {
		return resp.StatusCode, nil
	}
	if err := json.Unmarshal(answer, r.Out); err != nil {
		return resp.StatusCode, fmt.Errorf("%s %s: the answer cannot be read: %w", r.Method, r.Path, err)
	}
	return resp.StatusCode, nil
}

// send returns the answer's head; the caller closes its body.
func (c *Client) send(ctx context.Context, r Request) (*http.Response, error) {
	var body io.Reader = http.NoBody
	if r.In != nil {
		b, err := json.Marshal(r.In)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
		}
		body = bytes.NewReader(b)
	}

	req, err := http.NewRequestWithContext(ctx, r.Method, c.base+r.Path, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}

	header := map[string]string{"Content-Type": "application/json"}
	if c.token != nil {
		token, err := c.token(ctx)
		if err != nil {
			return nil, err
		}
		header["Authorization"] = "Bearer " + token
	}
	req, answered := beginSpan(req)
	maps.Copy(header, r.Header) // last: a request may replace the others

	for k, v := range header {
		req.Header.Set(k, v)
	}

	resp, err := c.http.Do(req)
	answered(resp)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return resp, nil
}

// decodeProblem reads the problem document of an answer. What answers without
// one is not a service of ours: something in between, or one that is starting.
func decodeProblem(status int, body []byte) error {
	p := &problem.Error{}
	if err := json.Unmarshal(body, p); err == nil && p.Code != "" {
		return p
	}

	code := problem.Internal
	if status >= http.StatusBadGateway && status <= http.StatusGatewayTimeout {
		code = problem.Unavailable
	}
	return problem.New(code, "answered %d without saying why", status)
}
