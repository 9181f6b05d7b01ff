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
	if _, again := c.rides[rideID]; again {
		return nil
	}
	if len(c.rides) >= maxRides {
		return problem.New(problem.TooMany, "A socket listens to at most %d rides; open a new one.", maxRides)
	}
	c.rides[rideID] = ""

	wg.Go(func() {
		c.relay(ctx, ridePath(rideID)+"/events", func(data []byte) error {
			var e struct {
				Seq  int64  `json:"seq"`
				Kind string `json:"kind"`
			}
			_ = json.Unmarshal(data, &e) // what cannot be read is passed on, as what this build does not know
			switch e.Kind {
			case "assigned":
				if err := c.tellDriver(ctx, rideID); err != nil {
					return err
				}
			case "requeued":
				c.drives(rideID, "")
			}

			if e.Seq > 0 && e.Seq <= after {
				return nil // read for the car's number, which is told again
			}
			c.send(map[string]any{"type": "ride_event", "event": json.RawMessage(data)})
			return nil
		})

		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.rides, rideID)
	})
	return nil
}

func ridePath(rideID string) string { return "/v1/rides/" + url.PathEscape(rideID) }

// tellDriver tells the client the number of whoever drives the ride now. The events of a
// ride that has ended can still be read, and do not say so until they are at their end:
// a rider may know where the driver is during the ride, and not afterwards.
func (c *client) tellDriver(ctx context.Context, rideID string) error {
	var r struct {
		State    string `json:"state"`
		DriverID string `json:"driver_id"`
	}
	if err := c.booking().Get(ctx, ridePath(rideID), &r); err != nil {
		return err
	}

	switch r.State {
	case "assigned", "arrived", "picked_up":
		c.drives(rideID, r.DriverID)
	}
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
	if !again {
		c.tellVehicle(c.id.Subject)
	}
	c.mu.Unlock()
	if again {
		return nil
	}

	wg.Go(func() {
		c.relay(ctx, "/v1/drivers/me/events", func(data []byte) error {
			c.send(map[string]any{"type": "driver_state", "state": json.RawMessage(data)})
			return nil
		})
	})
	return nil
}

// booking asks booking as the person who listens: what it refuses, mapfeed shows to
// nobody.
func (c *client) booking() *httpclient.Client {
	return c.feed.booking.As(httpclient.Signed(c.feed.cfg.Auth, c.id))
}

// relay reads one of booking's streams until it ends cleanly or ctx does,
// connecting again from the last event on that each took.
func (c *client) relay(ctx context.Context, path string, each func(data []byte) error) {
	booking := c.booking()
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

// readEvents calls each for every event and keeps the newest id that it took in last.
func readEvents(events iter.Seq2[httpclient.Event, error], last *string, each func(data []byte) error) error {
	for e, err := range events {
		if err != nil {
			return err
		}
		if err := each(e.Data); err != nil {
			return err
		}
		*last = e.ID
	}
	return nil
}
