package httpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"tandem/services/internal/auth"
	"tandem/services/internal/problem"
)

// Client is how one service asks another: JSON over HTTP with a token of its
// own. It is safe for concurrent use.
type Client struct {
	base string
	auth *auth.Signer
	id   auth.Identity
	http *http.Client
}

// maxAnswer bounds the answer that a Client reads.
const maxAnswer = 16 << 20

// NewClient makes a client of the service at base (http://host:port) that
// speaks as the named service.
func NewClient(base string, signer *auth.Signer, service string) *Client {
	return &Client{base: base, auth: signer, id: auth.Identity{Subject: service, Role: auth.Service}, http: &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: 60 * time.Second, ResponseHeaderTimeout: 20 * time.Second},
	}}
}

// Get asks for path and decodes the answer into out. It tries again with
// backoff while the service cannot be reached or answers 502 to 504, for as
// long as ctx lives. A problem document comes back as *problem.Error.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	policy := backoff.NewExponentialBackOff()
	policy.InitialInterval, policy.MaxInterval = 50*time.Millisecond, 2*time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := c.Once(ctx, http.MethodGet, path, nil, out)
		if err != nil && !temporary(err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(policy), backoff.WithMaxElapsedTime(20*time.Second))
	return err
}

// Once sends one request, in as its JSON body where it is not nil, and decodes
// the answer into out where that is not nil.
func (c *Client) Once(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s %s: encode: %w", method, path, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	token, err := c.auth.Sign(c.id, time.Minute)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(traceHeader, Traceparent(ctx))
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%w: %s %s: %w", errUnreachable, method, path, err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return answerProblem(resp.StatusCode, b)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("%s %s: decode answer: %w", method, path, err)
	}
	return nil
}

var errUnreachable = errors.New("the service cannot be reached")

func answerProblem(status int, body []byte) error {
	p := &problem.Error{}
	if err := json.Unmarshal(body, p); err != nil || p.Code == "" {
		p = &problem.Error{Code: problem.Internal, Detail: fmt.Sprintf("answered %d", status)}
		if status >= http.StatusBadGateway && status <= http.StatusGatewayTimeout {
			p.Code = problem.Unavailable
		}
	}
	return p
}

func temporary(err error) bool {
	var p *problem.Error
	return errors.Is(err, errUnreachable) || errors.As(err, &p) && p.Code == problem.Unavailable
}
