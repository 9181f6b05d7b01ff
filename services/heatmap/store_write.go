package heatmap

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/stream/shardgroup"
)

// store is the SQL on the schema heatmap. It is the service's points.Leaser.
type store struct {
	pool       *pgxpool.Pool
	generation int
	late       func(points int)                         // is told of late points, after their commit
	applied    func(context.Context) (time.Time, error) // what arrived before is counted
}

func newStore(pool *pgxpool.Pool) *store {
	return &store{
		pool: pool, generation: generation, late: func(int) {},
		applied: func(ctx context.Context) (time.Time, error) { return points.AppliedTo(ctx, pool, name) },
	}
}

// presenceKept is how long it is kept who was where, and what was shown of it: longer
// than the public heatmap can be asked for.
const presenceKept = 2 * time.Hour

// Apply counts a batch as a lease of its own.
func (s *store) Apply(ctx context.Context, batch []points.Arrival, commit shardgroup.Commit) (points.Outcome, error) {
	return s.ForLease("").Apply(ctx, batch, commit)
}

// Newest sets mark to the drivers' marks.
func (s *store) Newest(ctx context.Context, drivers []string, mark event.Mark) error {
	return s.ForLease("").Newest(ctx, drivers, mark)
}

// addCells adds the counts to the rows of their minutes, and to those of their hours.
func (s *store) addCells(b *pgx.Batch, t tally) {
	s.addMinutes(b, t)
	s.addCounts(b, byHour(t.cells), `INSERT INTO heatmap.hours AS c (generation, hour_at, cell, n, first_arrived, last_arrived)`, "hour_at")
}

func (s *store) addMinutes(b *pgx.Batch, t tally) {
	s.addCounts(b, t.cells, `INSERT INTO heatmap.cells AS c (generation, window_at, cell, n, first_arrived, last_arrived)`, "window_at")
}

func (s *store) addCounts(b *pgx.Batch, counts map[place]count, insert, at string) {
	places := sorted(counts)
	if len(places) == 0 {
		return
	}

	windows, cells, ns := make([]time.Time, len(places)), make([]int64, len(places)), make([]int64, len(places))
	first, last := make([]time.Time, len(places)), make([]time.Time, len(places))
	for i, p := range places {
		c := counts[p]
		windows[i], cells[i], ns[i], first[i], last[i] = p.window(), int64(p.cell), c.n, c.first, c.last //nolint:gosec // all 64 bits are kept
	}

	// Sums, minima and maxima: the row is the same however the stream was cut into
	// batches.
	b.Queue(insert+`
		SELECT $1, * FROM unnest($2::timestamptz[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[])
		ON CONFLICT (generation, `+at+`, cell) DO UPDATE SET n = c.n + excluded.n,
			first_arrived = least(c.first_arrived, excluded.first_arrived),
			last_arrived = greatest(c.last_arrived, excluded.last_arrived)`,
		s.generation, windows, cells, ns, first, last)
}

func (s *store) addPresence(b *pgx.Batch, t tally) {
	if len(t.present) == 0 {
		return
	}

	present := make([]presence, 0, len(t.present))
	for p := range t.present {
		present = append(present, p)
	}
	slices.SortFunc(present, func(a, b presence) int { return comparePlaces(a.place, b.place) })

	windows, cells, drivers := make([]time.Time, len(present)), make([]int64, len(present)), make([]string, len(present))
	for i, p := range present {
		windows[i], cells[i], drivers[i] = p.window(), int64(p.cell), p.driver //nolint:gosec // all 64 bits are kept
	}

	b.Queue(`
		INSERT INTO heatmap.presence (window_at, cell, driver)
		SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::text[]) ON CONFLICT DO NOTHING`, windows, cells, drivers)
}

// mergeRaised moves all that leases raised into heatmap.marks, those that are still
// held too: to a lease it makes no difference where its marks lie.
func (s *store) mergeRaised(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `
		WITH gone AS (DELETE FROM heatmap.raised WHERE generation = $1 RETURNING drivers, seqs)
		INSERT INTO heatmap.marks AS m (generation, driver, seq)
		SELECT $1, driver, max(seq) FROM gone, unnest(drivers, seqs) AS u (driver, seq) GROUP BY driver ORDER BY driver COLLATE "C"
		ON CONFLICT (generation, driver) DO UPDATE SET seq = greatest(m.seq, excluded.seq)`, s.generation)
	if err != nil {
		return fmt.Errorf("merge marks: %w", err)
	}
	return nil
}

// newest sets mark to what heatmap.marks says of the drivers.
func (s *store) newest(ctx context.Context, drivers []string, mark event.Mark) error {
	rows, err := s.pool.Query(ctx, `SELECT driver, seq FROM heatmap.marks WHERE generation = $1 AND driver = ANY($2)`, s.generation, drivers)
	if err != nil {
		return fmt.Errorf("look up marks: %w", err)
	}

	var driver string
	var seq int64
	_, err = pgx.ForEachRow(rows, []any{&driver, &seq}, func() error {
		mark[driver] = seq
		return nil
	})
	if err != nil {
		return fmt.Errorf("look up marks: %w", err)
	}
	return nil
}

// forget drops presence, and the public maps made of it, that are not kept any more.
func (s *store) forget(ctx context.Context, now time.Time) error {
	for _, table := range []string{"presence", "shown"} {
		if _, err := s.pool.Exec(ctx, `DELETE FROM heatmap.`+table+` WHERE window_at < $1`, now.Add(-presenceKept)); err != nil {
			return fmt.Errorf("forget %s: %w", table, err)
		}
	}
	return nil
}
