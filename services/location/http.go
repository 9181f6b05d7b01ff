package location

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
	"tandem/services/internal/stream/kinesisproducer"
)

// producer is what location needs of *kinesisproducer.Producer.
type producer interface {
	Put(ctx context.Context, key string, data ...[]byte) (acked int, err error)
}

type service struct {
	stream    producer
	putWithin time.Duration
	now       func() time.Time
	memory    *memory
	stats     *stats
}

// Routes is the service's table of routes.
func Routes() []httpserver.Route { return (*service)(nil).routes() }

func (s *service) routes() []httpserver.Route {
	return []httpserver.Route{
		{Method: http.MethodPost, Path: "/v1/points", Roles: []auth.Role{auth.Driver, auth.Importer}, Whose: "a driver itself; an importer names one", MaxBody: maxBody, Handle: s.points,
			Limit: httpserver.Limit{PerSecond: 200, Burst: 1000}, TraceOneIn: tracedOneIn},
	}
}

type accepted struct {
	Accepted        int       `json:"accepted"`
	AcceptedThrough int64     `json:"accepted_through"` // points up to here that were not refused are durable
	Refused         []refusal `json:"refused"`
}

// points is POST /v1/points.
func (s *service) points(c *gin.Context) error {
	in, err := readPoints(c)
	if err != nil {
		return err
	}

	id := httpserver.Identity(c)
	driver, err := auth.ActingDriver(id, in.DriverID, event.ValidID)
	if err != nil {
		return err
	}
	if err := checkRequest(in); err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(c.Request.Context(), s.putWithin)
	defer cancel()

	// One batch of a driver at a time, in the order of their stamps.
	last, done, err := s.memory.take(ctx, driver)
	if err != nil {
		return notDurable(err, 0, in.Points[0].Seq, []refusal{})
	}
	defer done()

	now := s.now()
	good, refused := check(driver, in.Points, bounds{now: now, recorded: id.Role == auth.Importer, above: last.first})
	s.stats.refused.Add(int64(len(refused)))
	if len(good) == 0 {
		p := problem.Field("points", "No point of the batch was taken; each is named with its reason.")
		p.Extra = map[string]any{"refused": refused, "accepted_through": 0}
		return p
	}
	stamp := last.note(good[0].Seq, now)
	for i := range good {
		good[i].Taken = stamp
	}

	// 202 only when the stream has acknowledged all of them: what a driver's app is
	// told to be durable it forgets. Whether it has, acked says: the wait may have
	// ended in the same moment.
	acked, err := s.put(ctx, driver, good)
	if acked < len(good) {
		through := int64(0)
		if acked > 0 {
			through = good[acked-1].Seq
		}
		return notDurable(err, through, good[acked].Seq, refused)
	}

	c.JSON(http.StatusAccepted, accepted{len(good), good[len(good)-1].Seq, refused})
	return nil
}

// put puts the points on the stream and waits until it has acknowledged them.
func (s *service) put(ctx context.Context, driver string, points []event.Point) (acked int, err error) {
	data := make([][]byte, len(points))
	for i, p := range points {
		if data[i], err = p.Encode(); err != nil {
			return 0, err
		}
	}

	began := time.Now()
	acked, err = s.stream.Put(ctx, driver, data...)
	s.stats.put(acked, time.Since(began))
	return acked, err
}

// notDurable returns the problem that says through which sequence a batch is
// durable and from which on to send again.
func notDurable(err error, through, resend int64, refused []refusal) error {
	p := problem.Wrap(err, problem.Unavailable, "The stream has not acknowledged every point. Send again from resend_from on.")
	switch {
	case errors.Is(err, kinesisproducer.ErrRefused):
		// Not 4xx, on which an app drops its points: as a rule it is how the stream is
		// called, by all, that somebody here must mend.
		p.Detail = "The stream refuses the point at resend_from: until somebody mends that, sending it again will not help. Nothing from there on is durable."
	case errors.Is(err, context.DeadlineExceeded):
		p.Err = fmt.Errorf("the stream did not acknowledge in time: %w", err)
	}

	// Points are acknowledged in order, so one sequence tells what is durable. What
	// is sent again and was put after all is a repeat, which readers know by its
	// sequence.
	p.Extra = map[string]any{"accepted_through": through, "resend_from": resend, "refused": refused}
	return p
}
