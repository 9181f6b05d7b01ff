package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tandem/services/domain/event"
)

const uniqueViolation = "23505"

// insert stores rows and gives how many were new. COPY is several times as fast
// as INSERT and can't skip what is there already, which is rare: so COPY under
// a savepoint first, and an insert that skips where a repeat is met.
func (s *store) insert(ctx context.Context, tx pgx.Tx, rows []row) (int64, error) {
	var n int64
	err := pgx.BeginFunc(ctx, tx, func(savepoint pgx.Tx) error {
		var err error
		n, err = savepoint.CopyFrom(ctx, pgx.Identifier{"history", "points"}, columns(), pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
			return rows[i].values(), nil
		}))
		return err
	})
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return n, nil
	case errors.As(err, &pg) && pg.Code == uniqueViolation:
		return s.insertNew(ctx, tx, rows)
	}
	return 0, fmt.Errorf("store points: %w", err)
}

func columns() []string {
	return []string{"day", "driver", "seq", "at", "lat", "lon", "speed", "heading", "accuracy", "arrived_at", "shard", "not_rising"}
}

func (r row) values() []any {
	return []any{
		r.day(), r.Driver, r.Seq, r.Time(), r.Lat, r.Lon,
		float32(r.Speed), float32(r.Heading), float32(r.Accuracy), r.arrived, r.shard, r.notRising,
	}
}

// insertNew stages the rows and inserts those that are not there, in the
// order of the stream: of two with one key the first is kept.
func (s *store) insertNew(ctx context.Context, tx pgx.Tx, rows []row) (int64, error) {
	if _, err := tx.Exec(ctx, `CREATE TEMPORARY TABLE staged (LIKE history.points) ON COMMIT DROP`); err != nil {
		return 0, fmt.Errorf("stage points: %w", err)
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"staged"}, columns(), pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		return rows[i].values(), nil
	}))
	if err != nil {
		return 0, fmt.Errorf("stage points: %w", err)
	}
	tag, err := tx.Exec(ctx, `INSERT INTO history.points SELECT * FROM staged ORDER BY ctid ON CONFLICT DO NOTHING`)
	if err != nil {
		return 0, fmt.Errorf("store staged points: %w", err)
	}
	return tag.RowsAffected(), nil
}

// newest adds each driver's highest sequence to mark.
func (s *store) newest(ctx context.Context, drivers []string, mark event.Mark) error {
	rows, err := s.pool.Query(ctx, `
		SELECT d, p.seq FROM unnest($1::text[]) AS d
		CROSS JOIN LATERAL (SELECT seq FROM history.points WHERE driver = d ORDER BY day DESC, seq DESC LIMIT 1) p`, drivers)
	if err != nil {
		return fmt.Errorf("look up the newest sequences: %w", err)
	}
	var driver string
	var seq int64
	_, err = pgx.ForEachRow(rows, []any{&driver, &seq}, func() error {
		mark[driver] = seq
		return nil
	})
	if err != nil {
		return fmt.Errorf("look up the newest sequences: %w", err)
	}
	return nil
}

// ensureDays makes the partitions that rows need, each in a transaction of its
// own and before theirs: made by LIKE and ATTACH, which waits for no COPY under
// way; PARTITION OF would wait for all of them.
func (s *store) ensureDays(ctx context.Context, rows []row) error {
	for _, r := range rows {
		day := r.day()
		if s.hasDay(day) {
			continue
		}
		if err := s.makeDay(ctx, day); err != nil {
			return fmt.Errorf("make the partition of %s: %w", day.Format(time.DateOnly), err)
		}
	}
	return nil
}

func (s *store) hasDay(day time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.days[day]
}

func (s *store) makeDay(ctx context.Context, day time.Time) error {
	name := "points_" + day.Format("20060102")
	table := pgx.Identifier{"history", name}.Sanitize()
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// One maker at a time, among all processes.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('history.points'))`); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, "history."+name).Scan(&there); err != nil || there {
			return err
		}
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
