package heatmap

import (
	"context"
	"fmt"
	"time"

	"github.com/golang/geo/s2"
	"github.com/jackc/pgx/v5"
)

// present returns which drivers were in which cell in [from, to).
func (s *store) present(ctx context.Context, from, to time.Time) (map[s2.CellID][]string, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT cell, array_agg(DISTINCT driver) FROM heatmap.presence WHERE window_at >= $1 AND window_at < $2 GROUP BY cell`, from, to)
	if err != nil {
		return nil, fmt.Errorf("who was where: %w", err)
	}

	out := map[s2.CellID][]string{}
	var cell int64
	var drivers []string
	_, err = pgx.ForEachRow(rows, []any{&cell, &drivers}, func() error {
		out[s2.CellID(cell)] = drivers //nolint:gosec // all 64 bits are kept
		drivers = nil                  // each cell keeps a slice of its own
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("who was where: %w", err)
	}
	return out, nil
}

// rawCell is a cell as operators see it, its windows added up.
type rawCell struct {
	Cell         int64
	N            int64
	FirstArrived time.Time
	LastArrived  time.Time
}

// raw adds up the windows in [from, to).
func (s *store) raw(ctx context.Context, from, to time.Time) ([]rawCell, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT cell, sum(n)::bigint, min(first_arrived), max(last_arrived) FROM heatmap.cells
		WHERE generation = $1 AND window_at >= $2 AND window_at < $3 GROUP BY cell ORDER BY cell`, s.generation, from, to)
	if err != nil {
		return nil, fmt.Errorf("add up windows: %w", err)
	}

	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[rawCell])
	if err != nil {
		return nil, fmt.Errorf("add up windows: %w", err)
	}
	return out, nil
}
