package history

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/points"
	"tandem/services/internal/auth"
)

// store is the SQL on the schema history. It is the service's points.Store.
type store struct {
	pool             *pgxpool.Pool
	perBatch, perDay int // partitions that may be created

	now  func() time.Time
	late func(points int) // is told of points that came too late; after their commit

	keep       time.Duration                            // since its arrival a point is here for so long at least
	playWithin time.Duration                            // no slice of a page of playback begins later
	applied    func(context.Context) (time.Time, error) // what arrived before is stored

	// ride looks a ride up as the asker.
	ride func(ctx context.Context, asker auth.Identity, id string) (trip, error)

	mu      sync.Mutex
	days    map[time.Time]bool // partitions that are known to exist
	dropped map[time.Time]bool // partitions that are known to have been dropped
}

func newStore(pool *pgxpool.Pool) *store {
	return &store{
		pool: pool, perBatch: maxPerBatch, perDay: maxPerDay, now: time.Now, late: func(int) {},
		keep: DefaultKeep, playWithin: playWithin, applied: func(ctx context.Context) (time.Time, error) { return points.AppliedTo(ctx, pool, name) },
		days: map[time.Time]bool{}, dropped: map[time.Time]bool{},
	}
}

// point is a stored point as the API shows it.
type point struct {
	Driver   string   `json:"driver_id"`
	Seq      int64    `json:"seq"`
	At       fixTime  `json:"at"`
	Lat      float64  `json:"lat"`
	Lon      float64  `json:"lon"`
	Speed    *float32 `json:"speed"` // null here and below: not known
	Heading  *float32 `json:"heading"`
	Accuracy *float32 `json:"accuracy"`
}

// fixTime is written in UTC with milliseconds.
type fixTime time.Time

// MarshalText writes RFC 3339.
func (t fixTime) MarshalText() ([]byte, error) {
	return []byte(time.Time(t).UTC().Format("2006-01-02T15:04:05.000Z")), nil
}

// ScanTimestamptz reads a column.
func (t *fixTime) ScanTimestamptz(v pgtype.Timestamptz) error {
	*t = fixTime(v.Time)
	return nil
}

const selectPoint = `SELECT driver, seq, at, lat, lon, speed, heading, accuracy FROM history.points `

// last returns a driver's point of the highest sequence, and whether there is one.
func (s *store) last(ctx context.Context, driver string) (point, bool, error) {
	rows, err := s.pool.Query(ctx, selectPoint+`WHERE driver = $1 ORDER BY day DESC, seq DESC LIMIT 1`, driver)
	if err != nil {
		return point{}, false, fmt.Errorf("last point of a driver: %w", err)
	}

	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[point])
	if errors.Is(err, pgx.ErrNoRows) {
		return point{}, false, nil
	}
	if err != nil {
		return point{}, false, fmt.Errorf("last point of a driver: %w", err)
	}
	return p, true, nil
}

// between returns a driver's points with from <= sequence < to, in order.
func (s *store) between(ctx context.Context, driver string, from, to time.Time, limit int) ([]point, error) {
	// The day follows from the sequence; naming it spares the partitions of all
	// other days.
	rows, err := s.pool.Query(ctx, selectPoint+`
		WHERE driver = $1 AND day BETWEEN $2::date AND $3::date AND seq >= $4 AND seq < $5 ORDER BY day, seq LIMIT $6`,
		driver, from.UTC(), to.UTC(), from.UnixMilli(), to.UnixMilli(), limit)
	if err != nil {
		return nil, fmt.Errorf("points of a driver: %w", err)
	}

	points, err := pgx.CollectRows(rows, pgx.RowToStructByPos[point])
	if err != nil {
		return nil, fmt.Errorf("points of a driver: %w", err)
	}
	return points, nil
}
