package speeding

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/stream/shardgroup"
)

type store struct {
	pool *pgxpool.Pool
	over float64 // km/h
}

// Newest knows no driver: to apply a point twice changes nothing here.
func (s *store) Newest(context.Context, []string, event.Mark) error { return nil }

// Apply keeps each driver's fastest point: rows and checkpoint in one transaction.
func (s *store) Apply(ctx context.Context, batch []points.Arrival, commit shardgroup.Commit) (points.Outcome, error) {
	return points.Outcome{}, pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var rows pgx.Batch
		for _, p := range batch {
			if p.Speed == nil || *p.Speed*3.6 <= s.over { // nil: nobody has measured it
				continue
			}
			rows.Queue(`INSERT INTO speeding.drivers AS d (driver, kmh, at) VALUES ($1, $2, $3)
				ON CONFLICT (driver) DO UPDATE SET kmh = excluded.kmh, at = excluded.at WHERE excluded.kmh > d.kmh`, p.Driver, *p.Speed*3.6, p.Time())
		}
		if err := tx.SendBatch(ctx, &rows).Close(); err != nil {
			return fmt.Errorf("keep who was fast: %w", err)
		}
		return commit(ctx, tx) // last: it vouches for the rows above
	})
}
