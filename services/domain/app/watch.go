package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"tandem/services/internal/problem"
)

const (
	silentFor   = 45 * time.Second // booking sends a heartbeat each 15 s
	maxSSELine  = 1 << 20
	reconnectIn = time.Second
)

// Watch calls fn with the driver's state at once and on every change, until
// ctx ends. It connects again when the stream breaks; the state after that is
// the state as it is then.
func (s *Session) Watch(ctx context.Context, fn func(DriverState)) error {
	return s.watch(ctx, "/v1/drivers/me/events", fn)
}

// WatchAll calls fn with the state of every driver whose id begins with
// prefix; it takes an importer's session.
func (s *Session) WatchAll(ctx context.Context, prefix string, fn func(DriverState)) error {
	return s.watch(ctx, "/v1/drivers/events?prefix="+url.QueryEscape(prefix), fn)
}

func (s *Session) watch(ctx context.Context, path string, fn func(DriverState)) error {
	for ctx.Err() == nil {
		if err := s.stream(ctx, path, fn); err != nil && !Temporary(err) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(reconnectIn):
		}
	}
	return nil
}

// stream reads one SSE connection until it breaks.
func (s *Session) stream(ctx context.Context, path string, fn func(DriverState)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	bearer, err := s.bearer(ctx)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.api.opts.GatewayURL+path, nil)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Accept", "text/event-stream")
	resp, err := s.api.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		p := problem.New(problem.Unavailable, "the stream answered %d", resp.StatusCode)
		if resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusBadRequest {
			p.Code = problem.Forbidden
		}
		return p
	}
	silent := time.AfterFunc(silentFor, cancel)
	defer silent.Stop()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(make([]byte, 4<<10), maxSSELine)
	for lines.Scan() {
		silent.Reset(silentFor)
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:"))
		if !ok {
			continue
		}
		var st DriverState
		if err := json.Unmarshal(bytes.TrimSpace(data), &st); err != nil {
			return fmt.Errorf("watch: the state cannot be read: %w", err)
		}
		fn(st)
	}
	return fmt.Errorf("%w: the stream ended", errUnreachable)
}
