package ride

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/golang/geo/s2"
	"github.com/jackc/pgx/v5"

	"tandem/services/domain/areas"
	"tandem/services/domain/geo"
)

// Spans of demand do not overlap: each begins at a whole quarter of an hour, in UTC.
const (
	DemandSpan = 15 * time.Minute
	DemandBack = 24 * time.Hour // from the newest span to the oldest that may be asked for
)

// DemandArea is an area that at least five distinct riders asked for a ride from.
type DemandArea struct {
	Cell  s2.CellID
	Class string // of riders, by areas.Class
}

// Demand returns where rides were asked for, whatever became of them, in the span that
// begins at from. It is computed by whoever asks first, and from then on the same for
// all: nothing can be subtracted from anything.
func (s *Store) Demand(ctx context.Context, from time.Time) ([]DemandArea, error) {
	out, err := s.keptDemand(ctx, from)
	if errors.Is(err, pgx.ErrNoRows) {
		if err = s.keepDemand(ctx, from); err == nil {
			out, err = s.keptDemand(ctx, from)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("ride: demand: %w", err)
	}
	return out, nil
}

func (s *Store) keptDemand(ctx context.Context, from time.Time) ([]DemandArea, error) {
	var cells []int64
	var classes []string
	if err := s.pool.QueryRow(ctx, `SELECT cells, classes FROM ride.demand WHERE from_at = $1`, from).Scan(&cells, &classes); err != nil {
		return nil, err
	}

	out := make([]DemandArea, len(cells))
	for i, c := range cells {
		out[i] = DemandArea{Cell: s2.CellID(c), Class: classes[i]} //nolint:gosec // all 64 bits are kept
	}
	return out, nil
}

// keepDemand computes a span's areas and keeps them, unless another process was first.
func (s *Store) keepDemand(ctx context.Context, from time.Time) error {
	rows, err := s.pool.Query(ctx, `SELECT rider_id, pickup_lat, pickup_lon FROM ride.rides
		WHERE requested_at >= $1 AND requested_at < $2`, from, from.Add(DemandSpan))
	if err != nil {
		return err
	}

	asked := map[s2.CellID][]string{}
	var rider string
	var p geo.Point
	_, err = pgx.ForEachRow(rows, []any{&rider, &p.Lat, &p.Lon}, func() error {
		c := s2.CellID(geo.Cell(p, areas.Level))
		asked[c] = append(asked[c], rider)
		return nil
	})
	if err != nil {
		return err
	}

	cells, classes := []int64{}, []string{}
	for _, a := range areas.Partition(asked) {
		cells, classes = append(cells, int64(a.Cell)), append(classes, areas.Class(a.People)) //nolint:gosec // all 64 bits are kept
	}

	// Spans that nobody may ask for any more leave, long after that: one that left too
	// early would be computed again.
	_, err = s.pool.Exec(ctx, `
		WITH gone AS (DELETE FROM ride.demand WHERE from_at < clock_timestamp() - $4::interval)
		INSERT INTO ride.demand (from_at, cells, classes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, from, cells, classes, 2*DemandBack)
	return err
}
