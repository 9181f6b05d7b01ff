package history

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/geo"
)

const (
	firstSlice = 10 * time.Second
	quick      = 100 * time.Millisecond // a slice that took less is followed by one twice as long
	playWithin = 2 * time.Second        // no slice begins later in a page
)

// playback is what is played: all drivers in a box, from <= arrival < to.
type playback struct {
	box      geo.Box
	from, to time.Time
	step     time.Duration // of each driver its first point in the box of each; 0: all points
	limit    int           // points of a page
}

// place is one in the order of playback, by arrival, driver and sequence: what follows it
// is next. Without driver it is before all that arrived then.
type place struct {
	arrived time.Time
	driver  string
	seq     int64
}

// played is a point as playback shows it.
type played struct {
	point
	Arrived fixTime `json:"arrived_at"`
}

// play returns a page of what follows a place, in order, and the place to go on after;
// nil: there is no more. A page may be short, or empty, before that. A span that the
// reader has not applied to its end has no last page yet: it would be a quiet city.
func (s *store) play(ctx context.Context, p playback, after place) (page []played, next *place, err error) {
	// By slices of time, each sorted by itself: a whole hour of a large fleet would be
	// sorted anew for every page of it.
	applied, err := s.applied(ctx)
	if err != nil {
		return nil, nil, err
	}
	whole := !applied.Before(p.to)
	if !whole {
		p.to = applied // what arrived later is still to come here
	}

	end := time.Now().Add(s.playWithin)
	for width := firstSlice; after.arrived.Before(p.to); {
		began, until := time.Now(), after.arrived.Add(width)
		if until.After(p.to) {
			until = p.to
		}

		rows, err := s.slice(ctx, p, after, until, p.limit-len(page))
		if err != nil {
			return nil, nil, err
		}
		if page = append(page, rows...); len(page) == p.limit {
			last := page[len(page)-1]
			return page, &place{time.Time(last.Arrived), last.Driver, last.Seq}, nil
		}

		after = place{arrived: until}
		if time.Since(began) < quick {
			width *= 2
		} else {
			width = max(width/2, firstSlice)
		}
		// After a slice, so that each page goes on, however slow the database is.
		if !time.Now().Before(end) && until.Before(p.to) {
			return page, &after, nil
		}
	}
	if !whole {
		return page, &after, nil
	}
	return page, nil, nil
}

const (
	// A driver that was erased is not shown while its rows are still being deleted, but
	// what it sends afterwards is. The parameters are those of slice.
	selectPlayed = `driver, seq, at, lat, lon, speed, heading, accuracy, arrived_at FROM history.points p
		WHERE arrived_at < $2 AND lat BETWEEN $5 AND $6
		AND CASE WHEN $7 <= $8::float8 THEN lon BETWEEN $7 AND $8 ELSE lon >= $7 OR lon <= $8 END
		AND NOT EXISTS (SELECT FROM history.erased e WHERE e.driver = p.driver AND (p.arrived_at <= e.erased_at OR p.seq <= e.seq))`
	// The first comparison is for the index: a row's alone is not.
	afterPlace = `arrived_at >= $1 AND (arrived_at, driver, seq) > ($1, $3, $4)`
	inOrder    = ` ORDER BY arrived_at, driver, seq LIMIT $9`
)

// slice returns what follows a place and arrived before until, in order, up to limit.
func (s *store) slice(ctx context.Context, p playback, after place, until time.Time, limit int) ([]played, error) {
	args := []any{after.arrived, until, after.driver, after.seq, p.box.South, p.box.North, p.box.West, p.box.East, limit}
	sql := `SELECT ` + selectPlayed + ` AND ` + afterPlace + inOrder
	if p.step > 0 {
		// From the beginning of the step, which may lie before the place: a driver's first
		// point in it may stand on the page or in the slice before.
		sql = `SELECT * FROM (SELECT DISTINCT ON (date_bin($10, arrived_at, $11), driver) ` + selectPlayed + `
			AND arrived_at >= date_bin($10, $1, $11) ORDER BY date_bin($10, arrived_at, $11), driver, arrived_at, seq) p
			WHERE ` + afterPlace + inOrder
		args = append(args, p.step, p.from)
	}

	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("play points: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (q played, err error) {
		err = row.Scan(&q.Driver, &q.Seq, &q.At, &q.Lat, &q.Lon, &q.Speed, &q.Heading, &q.Accuracy, &q.Arrived)
		return q, err
	})
	if err != nil {
		return nil, fmt.Errorf("play points: %w", err)
	}
	return out, nil
}

// keptSince reports whether all that arrived from a time on is still here, as far as the
// days tell that were dropped because of their age.
func (s *store) keptSince(ctx context.Context, from, to time.Time) (kept bool, err error) {
	if from.Before(s.now().Add(-s.keep)) {
		return false, nil
	}
	// Points were perhaps kept for a shorter time, and were dropped then.
	err = s.pool.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM history.days WHERE dropped_at IS NOT NULL AND day BETWEEN $1::date AND $2::date)`,
		from.UTC(), to.UTC()).Scan(&kept)
	if err != nil {
		return false, fmt.Errorf("days that were dropped: %w", err)
	}
	return kept, nil
}
