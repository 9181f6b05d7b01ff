package mapfeed

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"tandem/services/internal/auth"
	"tandem/services/internal/problem"
)

const (
	reconnectIn = time.Second
	silentFor   = 45 * time.Second // booking sends a heartbeat each 15 s
	maxLine     = 1 << 20
)

// listenRide relays a ride's events to this client, asking booking as the
// client: who may not see the ride hears a problem.
func (c *client) listenRide(ctx context.Context, rideID string, wg *sync.WaitGroup) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if rideID == "" || strings.ContainsAny(rideID, "/?#") {
		return problem.Field("ride_id", "Name a ride.")
	}
	if c.watches[rideID] {
		return nil
	}
	if len(c.watches) >= maxRides {
		return problem.New(problem.TooMany, "A socket listens to at most %d rides; open a new one.", maxRides)
	}
	c.watches[rideID] = true
	wg.Go(func() {
		c.relay(ctx, "/v1/rides/"+url.PathEscape(rideID)+"/events", func(data []byte) {
			var e struct {
				Kind string `json:"kind"`
				Data struct {
					DriverID string `json:"driver_id"`
				} `json:"data"`
			}
			if json.Unmarshal(data, &e) == nil && e.Kind == "assigned" {
				c.know(e.Data.DriverID)
			}
			c.send(map[string]any{"type": "ride_event", "event": json.RawMessage(bytes.Clone(data))})
		})
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watches, rideID)
	})
	return nil
}

// listenDriver relays a driver's own state.
func (c *client) listenDriver(ctx context.Context, wg *sync.WaitGroup) error {
	if c.id.Role != auth.Driver {
		return problem.New(problem.Forbidden, "Only a driver has a driver's state.")
	}
	c.mu.Lock()
	again := c.driver
	c.driver = true
	c.mu.Unlock()
	if again {
		return nil
	}
	c.know(c.id.Subject)
	wg.Go(func() {
		c.relay(ctx, "/v1/drivers/me/events", func(data []byte) {
			c.send(map[string]any{"type": "driver_state", "state": json.RawMessage(bytes.Clone(data))})
		})
	})
	return nil
}

// relay reads one of booking's streams until it ends cleanly or ctx does,
// connecting again from the last event on.
func (c *client) relay(ctx context.Context, path string, each func(data []byte)) {
	last := ""
	for ctx.Err() == nil {
		ended, err := c.stream(ctx, path, &last, each)
		if p := problemOf(err); p != nil {
			c.send(map[string]any{"type": "error", "problem": p})
			return
		}
		if ended {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(reconnectIn):
		}
	}
}

// problemOf is err where asking again would not help.
func problemOf(err error) *problem.Error {
	if p, ok := err.(*problem.Error); ok && p.Code != problem.Unavailable { //nolint:errorlint // stream returns it unwrapped
		return p
	}
	return nil
}

// stream reads one connection; ended says that booking closed a stream that is
// complete.
func (c *client) stream(ctx context.Context, path string, last *string, each func([]byte)) (ended bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	token, err := c.feed.cfg.Auth.Sign(c.id, time.Minute)
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.feed.cfg.BookingURL+path, nil)
	if err != nil {
		return false, fmt.Errorf("mapfeed: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "text/event-stream")
	if *last != "" {
		req.Header.Set("Last-Event-ID", *last)
	}
	resp, err := c.feed.http.Do(req)
	if err != nil {
		return false, fmt.Errorf("mapfeed: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		p := &problem.Error{}
		if err := json.NewDecoder(resp.Body).Decode(p); err != nil || p.Code == "" {
			p = problem.New(problem.Unavailable, "booking answered %d", resp.StatusCode)
		}
		return false, p
	}
	silent := time.AfterFunc(silentFor, cancel)
	defer silent.Stop()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(make([]byte, 4<<10), maxLine)
	for lines.Scan() {
		silent.Reset(silentFor)
		if id, ok := bytes.CutPrefix(lines.Bytes(), []byte("id:")); ok {
			*last = string(bytes.TrimSpace(id))
		}
		if data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:")); ok {
			each(bytes.TrimSpace(data))
		}
	}
	return lines.Err() == nil && ctx.Err() == nil && *last != "", nil
}
