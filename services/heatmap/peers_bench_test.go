package heatmap

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/points"
	"tandem/services/test/testenv"
)

// BenchmarkSQL does in SQL what BenchmarkApply does, with the same points: with the same
// guarantees, in one statement that remembers nothing between batches, and the counts
// alone, which promise nothing.
func BenchmarkSQL(b *testing.B) {
	for name, apply := range map[string]func(context.Context, pgx.Tx, []points.Arrival) error{"same": sameInSQL, "counts": countsInSQL} {
		b.Run(name, func(b *testing.B) {
			_, pool := testenv.Database(b, Schema())
			_, err := pool.Exec(b.Context(), `CREATE SCHEMA peer;
				CREATE TABLE peer.marks (driver text COLLATE "C" PRIMARY KEY, seq bigint NOT NULL, skipped bigint NOT NULL DEFAULT 0) WITH (fillfactor = 70);
				CREATE TABLE peer.presence (window_at timestamptz, cell bigint, driver text COLLATE "C", PRIMARY KEY (window_at, cell, driver));
				CREATE TABLE peer.cells (window_at timestamptz, cell bigint, n bigint NOT NULL, first_arrived timestamptz, last_arrived timestamptz,
					PRIMARY KEY (window_at, cell)) WITH (fillfactor = 70)`)
			require.NoError(b, err)

			const batch = 20_000
			fleet := newBenchFleet(time.Now().Truncate(window))
			seen := 0
			var took time.Duration
			for b.Loop() {
				arrivals := fleet.next(batch)
				began := time.Now()
				require.NoError(b, pgx.BeginFunc(b.Context(), pool, func(tx pgx.Tx) error { return apply(b.Context(), tx, arrivals) }))
				took += time.Since(began)
				seen += batch
			}
			b.ReportMetric(float64(seen)/took.Seconds(), "points/s")

			var counted int
			require.NoError(b, pool.QueryRow(b.Context(), `SELECT sum(n) FROM peer.cells`).Scan(&counted))
			require.Equal(b, seen, counted)
		})
	}
}

// sameInSQL skips what does not rise, counts the rest, notes who was where and raises
// the marks.
func sameInSQL(ctx context.Context, tx pgx.Tx, batch []points.Arrival) error {
	n := len(batch)
	drivers, seqs, windows, cells, arrived := make([]string, n), make([]int64, n), make([]time.Time, n), make([]int64, n), make([]time.Time, n)
	for i, a := range batch {
		at := placeOf(a.Point)
		drivers[i], seqs[i], windows[i], cells[i], arrived[i] = a.Driver, a.Seq, at.window(), int64(at.cell), a.Arrived //nolint:gosec // all 64 bits are kept
	}
	_, err := tx.Exec(ctx, `
		WITH batch AS MATERIALIZED (
			SELECT u.*, u.seq > greatest(m.seq, max(u.seq) OVER (PARTITION BY u.driver ORDER BY u.i ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS rises
			FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::bigint[], $5::timestamptz[]) WITH ORDINALITY AS u (driver, seq, window_at, cell, arrived, i)
			LEFT JOIN peer.marks m ON m.driver = u.driver COLLATE "C"),
		counted AS (
			INSERT INTO peer.cells AS c SELECT window_at, cell, count(*), min(arrived), max(arrived) FROM batch WHERE rises GROUP BY 1, 2 ORDER BY 1, 2
			ON CONFLICT (window_at, cell) DO UPDATE SET n = c.n + excluded.n,
				first_arrived = least(c.first_arrived, excluded.first_arrived), last_arrived = greatest(c.last_arrived, excluded.last_arrived)),
		noted AS (
			INSERT INTO peer.presence SELECT DISTINCT window_at, cell, driver FROM batch WHERE rises ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING)
		INSERT INTO peer.marks AS m SELECT driver, coalesce(max(seq) FILTER (WHERE rises), 0), count(*) FILTER (WHERE NOT rises) FROM batch GROUP BY 1 ORDER BY 1
		ON CONFLICT (driver) DO UPDATE SET seq = greatest(m.seq, excluded.seq), skipped = m.skipped + excluded.skipped`,
		drivers, seqs, windows, cells, arrived)
	return err
}

func countsInSQL(ctx context.Context, tx pgx.Tx, batch []points.Arrival) error {
	windows, cells := make([]time.Time, len(batch)), make([]int64, len(batch))
	for i, a := range batch {
		at := placeOf(a.Point)
		windows[i], cells[i] = at.window(), int64(at.cell) //nolint:gosec // all 64 bits are kept
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO peer.cells AS c (window_at, cell, n) SELECT w, cell, count(*) FROM unnest($1::timestamptz[], $2::bigint[]) AS u (w, cell) GROUP BY 1, 2 ORDER BY 1, 2
		ON CONFLICT (window_at, cell) DO UPDATE SET n = c.n + excluded.n`, windows, cells)
	return err
}
