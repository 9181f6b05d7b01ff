package location

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// producer is what location needs of *kinesisproducer.Producer.
type producer interface {
	Put(ctx context.Context, key string, data ...[]byte) (acked int, err error)
}

type service struct {
	stream    producer
	putWithin time.Duration
	now       func() time.Time
	stats     *stats
}

func (s *service) routes() []httpserver.Route {
	return []httpserver.Route{
		{Method: http.MethodPost, Path: "/v1/points", Roles: []auth.Role{auth.Driver, auth.Importer}, MaxBody: maxBody, Handle: s.points,
			Limit: httpserver.Limit{PerSecond: 200, Burst: 1000}},
	}
}

type accepted struct {
	Accepted        int       `json:"accepted"`
	AcceptedThrough int64     `json:"accepted_through"` // points up to here that were not refused are durable
	Refused         []refusal `json:"refused"`
}

// points is POST /v1/points.
func (s *service) points(c *gin.Context) error {
	var in pointsRequest
	if err := httpserver.Bind(c, &in); err != nil {
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

	good, refused := check(driver, in.Points, s.now(), id.Role == auth.Importer)
	s.stats.refused.Add(int64(len(refused)))
	if len(good) == 0 {
		p := problem.Field("points", "No point of the batch was taken; each is named with its reason.")
		p.Extra = map[string]any{"refused": refused, "accepted_through": 0}
		return p
	}

	// 202 only when the stream has acknowledged all of them: what a driver's app is
	// told to be durable it forgets.
	// Whether it has, acked says: the wait may have ended in the same moment.
	acked, err := s.put(c.Request.Context(), driver, good)
	if acked < len(good) {
		return notDurable(err, good, acked, refused)
	}

	if refused == nil {
		refused = []refusal{}
	}

	c.JSON(http.StatusAccepted, accepted{len(good), good[len(good)-1].Seq, refused})
	return nil
}

// put puts the points on the stream and waits until it has acknowledged them, at
// most for putWithin.
func (s *service) put(ctx context.Context, driver string, points []event.Point) (acked int, err error) {
	data := make([][]byte, len(points))
	for i, p := range points {
		if data[i], err = p.Encode(); err != nil {
			return 0, err
		}
	}

	ctx, cancel := context.WithTimeout(ctx, s.putWithin)
	defer cancel()
	began := time.Now()
	acked, err = s.stream.Put(ctx, driver, data...)
	s.stats.put(acked, time.Since(began))
	return acked, err
}

// notDurable returns the problem that says what of a batch is durable and from
// where to send again.
func notDurable(err error, good []event.Point, acked int, refused []refusal) error {
	through := int64(0)
	if acked > 0 {
		through = good[acked-1].Seq
	}

	p := problem.Wrap(err, problem.Unavailable, "The stream has not acknowledged every point. Send again from resend_from on.")
	if errors.Is(err, context.DeadlineExceeded) {
		p.Err = errors.New("the stream did not acknowledge in time")
	}

	// Points are acknowledged in order, so one sequence tells what is durable. What
	// is sent again and was put after all is a repeat, which readers know by its
	// sequence.
	p.Extra = map[string]any{"accepted_through": through, "resend_from": good[acked].Seq, "refused": refused}
	return p
}
