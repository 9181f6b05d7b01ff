package heatmap

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/event"
)

// store is the SQL on the schema heatmap.
type store struct {
	pool       *pgxpool.Pool
	generation int
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

// recall adds the drivers' marks to mark.
func (s *store) recall(ctx context.Context, drivers []string, mark event.Mark) error {
	rows, err := s.pool.Query(ctx, `SELECT driver, seq FROM heatmap.marks WHERE generation = $1 AND driver = ANY($2)`, s.generation, drivers)
	if err != nil {
		return fmt.Errorf("recall marks: %w", err)
	}
	var driver string
	var seq int64
	_, err = pgx.ForEachRow(rows, []any{&driver, &seq}, func() error {
		mark[driver] = seq
		return nil
	})
	if err != nil {
		return fmt.Errorf("recall marks: %w", err)
	}
	return nil
}

// forget drops presence from before t.
func (s *store) forget(ctx context.Context, before time.Time) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM heatmap.presence WHERE window_at < $1`, before); err != nil {
		return fmt.Errorf("forget presence: %w", err)
	}
	return nil
}
