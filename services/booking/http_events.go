package booking

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/event"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

const (
	heartbeat  = 15 * time.Second
	eventsPage = 200
	// afterEnd is how long a stream of an ended ride stays open for the event that
	// comes late: the message was deleted.
	afterEnd = 30 * time.Second
)

// events is GET /v1/rides/{id}/events: SSE from Last-Event-ID on, or a page of
// JSON after ?after=.
func (s *service) events(c *gin.Context) error {
	r, err := s.visible(c)
	if err != nil {
		return err
	}
	after, err := eventCursor(c)
	if err != nil {
		return err
	}

	if !strings.Contains(c.GetHeader("Accept"), "text/event-stream") {
		return s.eventsPage(c, r.ID, after)
	}
	return s.streamEvents(c, r, after)
}

// streamEvents sends a ride's events after one, until the ride has ended. Only then
// the stream ends in order: whoever is cut off connects again.
func (s *service) streamEvents(c *gin.Context, r ride.Ride, after int64) error {
	// Subscribed before the first read, so that no event falls in between.
	sub := s.listener.Ride(r.ID)
	defer sub.Close()

	out := newSSE(c)
	var endAt <-chan time.Time
	if r.EndedAt != nil { // its end may be among the events that the client has seen
		endAt = time.After(time.Until(r.EndedAt.Add(afterEnd)))
	}
	// Read from the beginning, also for a client that has seen some: which messages are
	// still on the queue, the events of before tell.
	messages, seen, after := messagesLeft{}, after, int64(0)

	for {
		events, err := s.rides.Events(c.Request.Context(), r.ID, after, eventsPage)
		if err != nil {
			return streamEnd(c, err)
		}

		for _, e := range events {
			after = e.Seq
			messages.note(e)
			if after <= seen {
				continue
			}

			if err := out.event(strconv.FormatInt(e.Seq, 10), string(e.Kind), redactEventFor(httpserver.Identity(c), e)); err != nil {
				return nil //nolint:nilerr // the client is gone
			}
			if e.Kind.Terminal() && endAt == nil {
				endAt = time.After(afterEnd)
			}
		}
		if len(events) == eventsPage { // a full page: there may be more
			continue
		}

		// The delete of the message is the last event, and it may never come: the
		// worker may have died before it wrote it.
		if endAt != nil && messages.none() {
			return nil
		}
		if !c.Writer.Written() && out.comment("listening") != nil { // so that the client has its answer at once
			return nil
		}

		select {
		case <-c.Request.Context().Done():
			return cut()
		case <-endAt:
			return nil
		case <-sub.C:
		case <-time.After(heartbeat):
			if out.comment("still here") != nil {
				return nil
			}
		}
	}
}

// messagesLeft tells which of a ride's messages are still on the queue, by their
// ids: false once one is deleted. A ride that is requeued has several. One that is
// promised and not sent yet has its attempt for an id.
type messagesLeft map[string]bool

func (m messagesLeft) note(e ride.Event) {
	promised := "attempt " + strconv.Itoa(e.Attempt)
	if e.Kind == ride.EventRequested || e.Kind == ride.EventRequeued {
		m[promised] = true
	}

	var data struct {
		MessageID string `json:"message_id"`
	}
	if json.Unmarshal(e.Data, &data) != nil || data.MessageID == "" {
		return
	}

	switch e.Kind {
	case ride.EventDeleted:
		m[data.MessageID] = false
	case ride.EventQueued, ride.EventReceived:
		delete(m, promised)
		// The relay may note that it was sent after the worker has deleted it.
		if _, known := m[data.MessageID]; !known {
			m[data.MessageID] = true
		}
	}
}

// none reports whether there were messages, and all of them are deleted.
func (m messagesLeft) none() bool {
	return len(m) > 0 && !slices.Contains(slices.Collect(maps.Values(m)), true)
}

// eventsPage answers with one page of a ride's events, as JSON.
func (s *service) eventsPage(c *gin.Context, rideID string, after int64) error {
	events, err := s.rides.Events(c.Request.Context(), rideID, after, eventsPage)
	if err != nil {
		return explain(err)
	}

	out, next := []ride.Event{}, after
	for _, e := range events {
		out, next = append(out, redactEventFor(httpserver.Identity(c), e)), e.Seq
	}

	c.JSON(http.StatusOK, gin.H{"events": out, "next": next})
	return nil
}

// eventCursor is the number of the event that the client has seen last. The header
// goes before the parameter: a browser that connects again sends it by itself.
func eventCursor(c *gin.Context) (int64, error) {
	field := "Last-Event-ID"
	text := c.GetHeader(field)
	if text == "" {
		field, text = "after", c.Query("after")
	}
	if text == "" {
		return 0, nil
	}

	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n == math.MaxInt64 {
		return 0, problem.Field(field, "%q is not an event's number.", text)
	}
	return n, nil
}

// driverEvents is GET /v1/drivers/me/events: the driver's state at once and on
// every change.
func (s *service) driverEvents(c *gin.Context) error {
	driver, err := auth.ActingDriver(httpserver.Identity(c), c.Query("driver_id"), event.ValidID)
	if err != nil {
		return err
	}
	return s.streamDrivers(c, func(d string) bool { return d == driver }, []string{driver},
		func(context.Context) ([]string, error) { return []string{driver}, nil })
}

// fleetEvents is GET /v1/drivers/events?prefix=: the states of all drivers whose
// id begins with prefix, on every change.
func (s *service) fleetEvents(c *gin.Context) error {
	prefix := c.Query("prefix")
	if !event.ValidID(prefix) {
		return problem.Field("prefix", "Name the beginning of the drivers' ids.")
	}
	return s.streamDrivers(c, func(d string) bool { return strings.HasPrefix(d, prefix) }, nil,
		func(ctx context.Context) ([]string, error) { return s.rides.DriverIDs(ctx, prefix) })
}

// streamDrivers sends the states of first, and then that of each driver that want
// accepts, on every change; all returns every one of them.
func (s *service) streamDrivers(c *gin.Context, want func(string) bool, first []string, all func(context.Context) ([]string, error)) error {
	sub := s.listener.Drivers(want)
	defer sub.Close()

	out := newSSE(c)
	next := first
	if len(first) == 0 && out.comment("listening") != nil { // so that the client has its answer at once
		return nil
	}

	for {
		for _, driver := range next {
			st, err := s.rides.Driver(c.Request.Context(), driver)
			if err != nil {
				return streamEnd(c, err)
			}
			if out.event("", "state", st) != nil {
				return nil
			}
		}

		select {
		case <-c.Request.Context().Done():
			return nil
		case <-sub.C:
		case <-time.After(heartbeat):
			if out.comment("still here") != nil {
				return nil
			}
		}

		changed, any := sub.Take()
		next = changed
		if any { // the listener lost its connection, so any change may have been missed
			var err error
			if next, err = all(c.Request.Context()); err != nil {
				return streamEnd(c, err)
			}
		}
	}
}
