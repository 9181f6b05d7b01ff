package heatmap

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/golang/geo/s2"
	"github.com/jackc/pgx/v5"

	"tandem/services/domain/geo"
)

// present returns which drivers were in which cell in the minute that begins at from.
func (s *store) present(ctx context.Context, from time.Time) (map[s2.CellID][]string, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT cell, array_agg(driver) FROM heatmap.presence WHERE window_at = $1 GROUP BY cell`, from)
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

// shown is the public heatmap of a minute as it is kept: the class of each cell.
type shown struct {
	cells   []int64
	classes []string
}

// shown returns what is kept for the minute that begins at from. It wraps
// pgx.ErrNoRows where that has not been computed yet.
func (s *store) shown(ctx context.Context, from time.Time) (shown, error) {
	var out shown
	err := s.pool.QueryRow(ctx, `SELECT cells, classes FROM heatmap.shown WHERE window_at = $1`, from).Scan(&out.cells, &out.classes)
	if err != nil {
		return shown{}, fmt.Errorf("the public map of a minute: %w", err)
	}
	return out, nil
}

// keepShown keeps m for the minute that begins at from, unless another process was
// first, and returns what is kept.
func (s *store) keepShown(ctx context.Context, from time.Time, m shown) (shown, error) {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO heatmap.shown (window_at, cells, classes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, from, m.cells, m.classes)
	if err != nil {
		return shown{}, fmt.Errorf("keep the public map of a minute: %w", err)
	}
	return s.shown(ctx, from)
}

// rawCell is a cell as operators see it, its windows added up.
type rawCell struct {
	Cell         int64
	N            int64
	FirstArrived time.Time
	LastArrived  time.Time
}

// raw adds up the windows that begin in [from, to), of cells about the view; nil: of all.
// Cells that lie outside of the view may be among them.
func (s *store) raw(ctx context.Context, from, to time.Time, view *geo.Box) ([]rawCell, error) {
	// Whole hours have their rows: only what lies before and after them is added up by
	// the minute.
	begin, end := from.Add(time.Hour-1).Truncate(time.Hour), to.Truncate(time.Hour)
	if begin.After(end) {
		begin, end = to, to // no whole hour
	}
	least, most := cellsAbout(view)

	rows, err := s.pool.Query(ctx, `
		SELECT cell, sum(n)::bigint, min(first_arrived), max(last_arrived) FROM (
			SELECT cell, n, first_arrived, last_arrived FROM heatmap.hours
			WHERE generation = $1 AND hour_at >= $3 AND hour_at < $4 AND cell BETWEEN $6 AND $7
			UNION ALL
			SELECT cell, n, first_arrived, last_arrived FROM heatmap.cells
			WHERE generation = $1 AND window_at >= $2 AND window_at < $3 AND cell BETWEEN $6 AND $7
			UNION ALL
			SELECT cell, n, first_arrived, last_arrived FROM heatmap.cells
			WHERE generation = $1 AND window_at >= $4 AND window_at < $5 AND cell BETWEEN $6 AND $7
		) AS parts GROUP BY cell ORDER BY cell`, s.generation, from, begin, end, to, least, most)
	if err != nil {
		return nil, fmt.Errorf("add up windows: %w", err)
	}

	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[rawCell])
	if err != nil {
		return nil, fmt.Errorf("add up windows: %w", err)
	}
	return out, nil
}

// cellsAbout returns the least and the highest id of cells that meet the view. Cells
// near each other mostly have ids near each other, so it leaves out most others.
func cellsAbout(view *geo.Box) (least, most int64) {
	if view == nil {
		return math.MinInt64, math.MaxInt64
	}

	least, most = math.MaxInt64, math.MinInt64
	coverer := s2.RegionCoverer{MaxLevel: level, MaxCells: 8}
	for _, c := range coverer.Covering(rectOf(*view)) {
		least, most = min(least, int64(c.RangeMin())), max(most, int64(c.RangeMax())) //nolint:gosec // all 64 bits are kept, and a face lies on one side of 0
	}
	return least, most
}
