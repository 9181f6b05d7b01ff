package booking

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/areas"
	"tandem/services/domain/ride"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// demandSettle is how long after its end a span of demand is first shown: a booking is
// committed within moments, and one that is later is never on its map.
const demandSettle = 5 * time.Second

type demandAnswer struct {
	From  time.Time     `json:"from"`
	To    time.Time     `json:"to"`
	Cells []areas.Shown `json:"cells"`
}

// demandWithin bounds the computing of a span's map.
const demandWithin = 10 * time.Second

// demand is GET /v1/demand: where riders asked for rides in a quarter of an hour.
func (s *service) demand(c *gin.Context) error {
	newest := time.Now().UTC().Add(-demandSettle).Truncate(ride.DemandSpan).Add(-ride.DemandSpan)
	at, err := httpserver.TimeParam(c, "at", newest)
	if err != nil {
		return err
	}
	from, oldest := at.UTC().Truncate(ride.DemandSpan), newest.Add(-ride.DemandBack)
	if from.After(newest) || from.Before(oldest) {
		return problem.Field("at", "It lies in a quarter of an hour from %s to %s.", oldest.Format(time.RFC3339), newest.Format(time.RFC3339))
	}

	found, err := s.demandOf(c.Request.Context(), from)
	if err != nil {
		return explain(err)
	}
	out := demandAnswer{From: from, To: from.Add(ride.DemandSpan), Cells: make([]areas.Shown, len(found))}
	for i, a := range found {
		out.Cells[i] = areas.Show(a.Cell, a.Class)
	}

	// Private, since a shared cache does not check tokens.
	c.Header("Cache-Control", "private, max-age=15")
	c.JSON(http.StatusOK, out)
	return nil
}

// demandOf returns a span's map. At each quarter of an hour many ask for a new one, which
// costs one computation. It is nobody's own: whoever asked first may leave.
func (s *service) demandOf(ctx context.Context, from time.Time) ([]ride.DemandArea, error) {
	answer := s.demands.DoChan(from.Format(time.RFC3339), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), demandWithin)
		defer cancel()
		return s.rides.Demand(ctx, from)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-answer:
		found, _ := r.Val.([]ride.DemandArea) // nil with an error
		return found, r.Err
	}
}
