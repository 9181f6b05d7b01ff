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

// store is the SQL on the schema heatmap. It is the service's points.Store.
type store struct {
	pool       *pgxpool.Pool
	generation int
}

// presenceKept is how long it is kept who was where, and what was shown of it: longer
// than the public heatmap can be asked for.
const presenceKept = 2 * time.Hour

// Apply counts a batch: rows, marks and checkpoint in one transaction.
func (s *store) Apply(ctx context.Context, batch []points.Arrival, commit shardgroup.Commit) (points.Outcome, error) {
	t := tallyUp(batch, time.Now().Add(-presenceKept))
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := s.add(ctx, tx, t); err != nil {
			return err
		}
		// Last: it locks the lease until these rows are visible with their checkpoint.
		return commit(ctx, tx)
	})
	if err != nil {
		return points.Outcome{}, err
	}
	return points.Outcome{Skipped: t.skippedPoints()}, nil
}

// add writes what a batch adds, in the one order in which all shards do.
func (s *store) add(ctx context.Context, tx pgx.Tx, t tally) error {
	var b pgx.Batch
	s.addCells(&b, t)
	s.addMarks(&b, t)
	s.addPresence(&b, t)
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("count points: %w", err)
	}
	return nil
}

func (s *store) addCells(b *pgx.Batch, t tally) {
	places := t.places()
	if len(places) == 0 {
		return
	}

	windows, cells, ns := make([]time.Time, len(places)), make([]int64, len(places)), make([]int64, len(places))
	first, last := make([]time.Time, len(places)), make([]time.Time, len(places))
	for i, p := range places {
		c := t.cells[p]
		windows[i], cells[i], ns[i], first[i], last[i] = p.window(), int64(p.cell), c.n, c.first, c.last //nolint:gosec // all 64 bits are kept
	}

	// Sums, minima and maxima: the row is the same however the stream was cut into
	// batches.
	b.Queue(`
		INSERT INTO heatmap.cells AS c (generation, window_at, cell, n, first_arrived, last_arrived)
		SELECT $1, * FROM unnest($2::timestamptz[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[])
		ON CONFLICT (generation, window_at, cell) DO UPDATE SET n = c.n + excluded.n,
			first_arrived = least(c.first_arrived, excluded.first_arrived),
			last_arrived = greatest(c.last_arrived, excluded.last_arrived)`,
		s.generation, windows, cells, ns, first, last)
}

func (s *store) addMarks(b *pgx.Batch, t tally) {
	var drivers []string
	for d := range t.marks {
		drivers = append(drivers, d)
	}
	for d := range t.skipped {
		if _, ok := t.marks[d]; !ok {
			drivers = append(drivers, d)
		}
	}
	slices.Sort(drivers)

	seqs, skipped := make([]int64, len(drivers)), make([]int64, len(drivers))
	for i, d := range drivers {
		seqs[i], skipped[i] = t.marks[d], t.skipped[d]
	}

	// greatest: a driver whose points were all skipped comes with 0.
	b.Queue(`
		INSERT INTO heatmap.marks AS m (generation, driver, seq, skipped)
		SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[])
		ON CONFLICT (generation, driver) DO UPDATE SET
			seq = greatest(m.seq, excluded.seq), skipped = m.skipped + excluded.skipped`,
		s.generation, drivers, seqs, skipped)
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

// Newest sets mark to the drivers' marks.
func (s *store) Newest(ctx context.Context, drivers []string, mark event.Mark) error {
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

// forget drops presence, and the public maps made of it, from before t.
func (s *store) forget(ctx context.Context, before time.Time) error {
	for _, table := range []string{"presence", "shown"} {
		if _, err := s.pool.Exec(ctx, `DELETE FROM heatmap.`+table+` WHERE window_at < $1`, before); err != nil {
			return fmt.Errorf("forget %s: %w", table, err)
		}
	}
	return nil
}
