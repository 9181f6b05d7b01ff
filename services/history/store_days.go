package history

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/points"
)

// dayOf is the UTC date of a point's sequence: its partition.
func dayOf(a points.Arrival) time.Time { return time.UnixMilli(a.Seq).UTC().Truncate(24 * time.Hour) }

// ensureDays creates the partitions that a batch needs, each in a transaction of
// its own and before the batch's, so that its locks are held for a moment only.
func (s *store) ensureDays(ctx context.Context, batch []points.Arrival) error {
	for _, a := range batch {
		day := dayOf(a)
		if s.hasDay(day) {
			continue
		}
		if err := s.createDay(ctx, day); err != nil {
			return fmt.Errorf("create the partition of %s: %w", day.Format(time.DateOnly), err)
		}
	}

	return nil
}

func (s *store) hasDay(day time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.days[day]
}

func (s *store) createDay(ctx context.Context, day time.Time) error {
	name := "points_" + day.Format("20060102")
	table := pgx.Identifier{"history", name}.Sanitize()
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// One process at a time, or two would create the same table.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('history.points'))`); err != nil {
			return err
		}
		var exists bool
		if err := tx.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, "history."+name).Scan(&exists); err != nil || exists {
			return err
		}

		// LIKE and ATTACH wait for no COPY under way; PARTITION OF would wait for
		// all of them, since it locks the parent table.
		if _, err := tx.Exec(ctx, `CREATE TABLE `+table+` (LIKE history.points INCLUDING DEFAULTS)`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, fmt.Sprintf(`ALTER TABLE history.points ATTACH PARTITION %s FOR VALUES FROM ('%s') TO ('%s')`,
			table, day.Format(time.DateOnly), day.AddDate(0, 0, 1).Format(time.DateOnly)))
		return err
	})
	if err != nil {
		return err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.days[day] = true
	return nil
}
