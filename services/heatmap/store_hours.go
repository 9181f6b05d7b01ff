package heatmap

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// hoursVersion is that of the migration which adds heatmap.hours.
const hoursVersion = 5

// mendHours makes the hours what their minutes add up to, and reports whether they were
// not: a heatmap of before there were hours may have gone on while the tables were
// migrated. That was over two days after the migration, and then it looks no more, since
// it reads both tables whole.
func (s *store) mendHours(ctx context.Context) (mended bool, err error) {
	var due bool
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM heatmap.goose_db_version WHERE version_id = $1 AND tstamp > now() - interval '2 days')`, hoursVersion).Scan(&due)
	if err != nil {
		return false, fmt.Errorf("when hours were added: %w", err)
	}
	if !due {
		return false, nil
	}

	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// One statement sees both as they are at one moment, and nobody waits for it.
		tag, err := tx.Exec(ctx, `
			CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
			SELECT DISTINCT hour_at, cell
			FROM (SELECT date_trunc('hour', window_at, 'UTC') AS hour_at, cell, sum(n) AS n, min(first_arrived) AS first_arrived, max(last_arrived) AS last_arrived
				FROM heatmap.cells WHERE generation = `+fmt.Sprint(s.generation)+` GROUP BY 1, 2) AS m
			FULL JOIN (SELECT hour_at, cell, n::numeric AS n, first_arrived, last_arrived FROM heatmap.hours WHERE generation = `+fmt.Sprint(s.generation)+`) AS h
				USING (hour_at, cell, n, first_arrived, last_arrived)
			WHERE m IS NULL OR h IS NULL`)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		mended = true

		// Who adds to an hour has added to its minutes before, and waits here until they agree.
		if _, err := tx.Exec(ctx, `LOCK TABLE heatmap.cells IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		return hoursAgain(ctx, tx, s.generation)
	})
	if err != nil {
		return false, fmt.Errorf("add up hours again: %w", err)
	}
	return mended, nil
}

// hoursAgain adds up the minutes of each hour and cell in the temporary table changed
// again. heatmap.cells is locked against those who write it, and so is heatmap.hours: who
// writes there has written cells before.
func hoursAgain(ctx context.Context, tx pgx.Tx, generation int) error {
	_, err := tx.Exec(ctx, `DELETE FROM heatmap.hours h USING changed c WHERE h.generation = $1 AND (h.hour_at, h.cell) = (c.hour_at, c.cell)`, generation)
	if err != nil {
		return err
	}

	// By the keys of the hour's minutes: the table is large, and its writers wait.
	_, err = tx.Exec(ctx, `
		INSERT INTO heatmap.hours (generation, hour_at, cell, n, first_arrived, last_arrived)
		SELECT $1, c.hour_at, c.cell, m.n, m.first_arrived, m.last_arrived
		FROM changed c CROSS JOIN LATERAL (
			SELECT sum(n) AS n, min(first_arrived) AS first_arrived, max(last_arrived) AS last_arrived FROM heatmap.cells
			WHERE generation = $1 AND cell = c.cell
				AND window_at = ANY (ARRAY(SELECT generate_series(c.hour_at, c.hour_at + interval '59 minutes', interval '1 minute')))) AS m
		WHERE m.n IS NOT NULL`, generation)
	return err
}
