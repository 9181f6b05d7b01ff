package history

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

const (
	maxTrack    = 24 * time.Hour // of one request: the partitions that it opens
	maxSimplify = 1_000          // metres
)

// trip is what booking tells of a ride to whom may see it.
type trip struct {
	DriverID   string     `json:"driver_id"`
	PickedUpAt *time.Time `json:"picked_up_at"`
	EndedAt    *time.Time `json:"ended_at"`
}

// askBooking returns what looks a ride up as the asker: booking decides who sees it.
func askBooking(booking *httpclient.Client, signer *auth.Signer) func(context.Context, auth.Identity, string) (trip, error) {
	return func(ctx context.Context, asker auth.Identity, ride string) (t trip, err error) {
		return t, booking.As(httpclient.Signed(signer, asker)).Get(ctx, "/v1/rides/"+ride, &t)
	}
}

// trackHTTP answers with where a driver was in a span: its own for a driver.
func (s *store) trackHTTP(c *gin.Context) error {
	driver, id := c.Param("id"), httpserver.Identity(c)
	if id.Role == auth.Driver && id.Subject != driver {
		return problem.New(problem.NotFound, "A driver sees its own points.")
	}
	if !event.ValidID(driver) {
		return errNoDriver
	}

	from, to, err := spanParams(c)
	if err != nil {
		return err
	}
	switch span := to.Sub(from); {
	case span < 0:
		return problem.Field("from", "It is after to.")
	case span > maxTrack:
		return problem.Field("from", "From from to to are at most 24 hours.")
	}
	return s.answerTrack(c, driver, from, to, time.Time{})
}

// rideTrackHTTP answers with the way of a ride for whom booking shows it: its driver's
// points from the pick-up to the end. What the driver did before and after is not the
// rider's to see.
func (s *store) rideTrackHTTP(c *gin.Context) error {
	ride := c.Param("id")
	if !event.ValidID(ride) { // it becomes a part of booking's path
		return problem.New(problem.NotFound, "There is no ride with this id.")
	}
	from, err := httpserver.TimeParam(c, "from", time.Time{})
	if err != nil {
		return err
	}

	t, err := s.ride(c.Request.Context(), httpserver.Identity(c), ride)
	if httpclient.Temporary(err) {
		return problem.Wrap(err, problem.Unavailable, "Booking does not say now whose ride this is. Try again in a second.")
	}
	if err != nil {
		return err
	}

	// Before the pick-up there is no track. A ride under way has one up to now.
	end := time.Now()
	began := end
	if t.PickedUpAt != nil {
		began = *t.PickedUpAt
	} else {
		t.DriverID = ""
	}
	if t.EndedAt != nil {
		end = *t.EndedAt
	}
	if from.Before(began) {
		from = began
	}
	return s.answerTrack(c, t.DriverID, from, end, began)
}

// answerTrack answers with a page of a driver's track whose sequences are in the span
// and whose fixes are not before since.
func (s *store) answerTrack(c *gin.Context, driver string, from, to, since time.Time) error {
	limit, err := limitParam(c, defaultPage)
	if err != nil {
		return err
	}
	metres := 0.0
	if q := c.Query("simplify"); q != "" {
		if metres, err = strconv.ParseFloat(q, 64); err != nil || !(metres >= 0 && metres <= maxSimplify) {
			return problem.Field("simplify", "It is a number of metres from 0 to %d.", maxSimplify)
		}
	}

	points, err := s.between(c.Request.Context(), driver, from, to, limit)
	if err != nil {
		return err
	}
	var next int64
	if len(points) == limit {
		next = points[limit-1].Seq + 1
	}

	// A sequence may run ahead of its fix, so that a fix of before lies in the span.
	kept := points[:0]
	for _, p := range points {
		if !time.Time(p.At).Before(since) {
			kept = append(kept, p)
		}
	}
	out := trackOf(driver, kept, metres)
	out.Next = next
	c.JSON(http.StatusOK, out)
	return nil
}

func limitParam(c *gin.Context, missing int) (int, error) {
	q := c.Query("limit")
	if q == "" {
		return missing, nil
	}
	limit, err := strconv.Atoi(q)
	if err != nil || limit < 1 || limit > maxPage {
		return 0, problem.Field("limit", "It is a number from 1 to %d.", maxPage)
	}
	return limit, nil
}
