package mapfeed

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/url"
	"strconv"
	"sync"
	"time"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/problem"
)

const reconnectIn = time.Second

// listenRide relays a ride's events to this client, all of them or those after one
// that it has, asking booking as the client: who may not see the ride hears a problem.
func (c *client) listenRide(ctx context.Context, m message, wg *sync.WaitGroup) error {
	rideID := m.RideID
	after, err := strconv.ParseInt(cmp.Or(m.After, "0"), 10, 64)
	if err != nil || after < 0 {
		return problem.Field("after", "It is the seq of an event of the ride.")
	}
	if !event.ValidID(rideID) { // it becomes a part of booking's path
		return problem.Field("ride_id", "It is a ride's id.")
	}

	c.mu.Lock()
	defer c.mu.Unlock()
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
				Seq  int64  `json:"seq"`
				Kind string `json:"kind"`
				Data struct {
					DriverID string `json:"driver_id"`
				} `json:"data"`
			}
			// Booking sent it, so this client may see the ride: then also who drives it.
			if json.Unmarshal(data, &e) == nil && e.Kind == "assigned" {
				c.know(e.Data.DriverID)
			}
			if e.Seq > 0 && e.Seq <= after {
				return // read for the car's number, which is told again
			}
			c.send(map[string]any{"type": "ride_event", "event": json.RawMessage(data)})
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
			c.send(map[string]any{"type": "driver_state", "state": json.RawMessage(data)})
		})
	})
	return nil
}

// relay reads one of booking's streams until it ends cleanly or ctx does,
// connecting again from the last event on.
func (c *client) relay(ctx context.Context, path string, each func(data []byte)) {
	// Booking is asked as the person who listens: what it refuses, mapfeed shows
	// to nobody.
	booking := c.feed.booking.As(httpclient.Signed(c.feed.cfg.Auth, c.id))
	last := ""
	for ctx.Err() == nil {
		err := readEvents(booking.Events(ctx, path, last), &last, each)

		// A problem other than "try again" stays the same however often it is asked.
		var p *problem.Error
		if errors.As(err, &p) && p.Code != problem.Unavailable {
			c.send(map[string]any{"type": "error", "problem": p})
			return
		}

		// A stream with ids is a ride's: booking ends it after the last event. A
		// driver's has none, and goes on as long as the socket.
		if err == nil && last != "" {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(reconnectIn):
		}
	}
}

// readEvents calls each for every event and keeps the newest id in last.
func readEvents(events iter.Seq2[httpclient.Event, error], last *string, each func(data []byte)) error {
	for e, err := range events {
		if err != nil {
			return err
		}
		*last = e.ID
		each(e.Data)
	}
	return nil
}
