package booking

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
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
	// afterEnd is how long a stream of an ended ride stays open for what comes
	// late: the message's deletion.
	afterEnd = 30 * time.Second
	// writeWithin bounds one write to a client of a stream; a slower one is
	// disconnected and may come back with Last-Event-ID.
	writeWithin = 10 * time.Second
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
	sub := s.listener.Ride(r.ID)
	defer sub.Close()
	out := newSSE(c)
	var endAt <-chan time.Time
	deleted := false
	for {
		events, err := s.rides.Events(c.Request.Context(), r.ID, after, eventsPage)
		if err != nil {
			return streamEnd(c, err)
		}
		for _, e := range events {
			after = e.Seq
			if err := out.event(strconv.FormatInt(e.Seq, 10), string(e.Kind), redactEventFor(httpserver.Identity(c), e)); err != nil {
				return nil //nolint:nilerr // the client is gone
			}
			deleted = deleted || e.Kind == ride.EventDeleted
			if e.Kind.Terminal() && endAt == nil {
				endAt = time.After(afterEnd)
			}
		}
		if len(events) == eventsPage {
			continue
		}
		if endAt != nil && deleted {
			return nil
		}
		select {
		case <-c.Request.Context().Done():
			return nil
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

// redactEventFor hides from riders which drivers were asked and did not take it.
func redactEventFor(id auth.Identity, e ride.Event) ride.Event {
	if id.Role != auth.Rider {
		return e
	}
	switch e.Kind {
	case ride.EventOffered, ride.EventRefused, ride.EventOfferExpired, ride.EventRequeued:
		var data map[string]any
		if json.Unmarshal(e.Data, &data) == nil {
			delete(data, "driver_id")
			delete(data, "lost_driver_id")
			if b, err := json.Marshal(data); err == nil {
				e.Data = b
			}
		}
		if e.Kind == ride.EventRefused {
			e.By = "driver"
		}
	}
	return e
}

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

func eventCursor(c *gin.Context) (int64, error) {
	text := c.GetHeader("Last-Event-ID")
	if text == "" {
		text = c.Query("after")
	}
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n == math.MaxInt64 {
		return 0, problem.Field("Last-Event-ID", "%q is no event's number.", text)
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
	return s.streamDrivers(c, func(d string) bool { return d == driver }, []string{driver})
}

// fleetEvents is GET /v1/drivers/events?prefix=: the states of all drivers
// whose id begins so, on every change.
func (s *service) fleetEvents(c *gin.Context) error {
	prefix := c.Query("prefix")
	if !event.ValidID(prefix) {
		return problem.Field("prefix", "Name the beginning of the drivers' ids.")
	}
	return s.streamDrivers(c, func(d string) bool { return strings.HasPrefix(d, prefix) }, nil)
}

func (s *service) streamDrivers(c *gin.Context, want func(string) bool, first []string) error {
	sub := s.listener.Drivers(want)
	defer sub.Close()
	out := newSSE(c)
	next := first
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
		changed, all := sub.Take()
		next = changed
		if all && len(first) > 0 { // a lost connection: any change may have been missed
			next = first
		}
	}
}

// streamEnd ends a stream that has begun: the client connects again.
func streamEnd(c *gin.Context, err error) error {
	if c.Writer.Written() || c.Request.Context().Err() != nil {
		return nil //nolint:nilerr // the answer's status was sent long ago
	}
	return explain(err)
}

// sse writes server-sent events.
type sse struct {
	c  *gin.Context
	rc *http.ResponseController
}

func newSSE(c *gin.Context) *sse {
	h := c.Writer.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	c.Status(http.StatusOK)
	return &sse{c, http.NewResponseController(c.Writer)}
}

func (s *sse) event(id, kind string, data any) error {
	b, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	text := "event: " + kind + "\ndata: " + string(b) + "\n\n"
	if id != "" {
		text = "id: " + id + "\n" + text
	}
	return s.write(text)
}

func (s *sse) comment(text string) error { return s.write(": " + text + "\n\n") }

func (s *sse) write(text string) error {
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeWithin)) // not every writer has deadlines
	if _, err := s.c.Writer.WriteString(text); err != nil {
		return err
	}
	return s.rc.Flush()
}
