package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/stream/shardgroup"
)

const (
	uniqueViolation = "23505"
	checkViolation  = "23514" // of a row without partition, too
)

// Apply stores a batch: rows and checkpoint in one transaction. Points of a day that
// was dropped are counted as expired there, and those of an erased driver as erased.
func (s *store) Apply(ctx context.Context, batch []points.Arrival, commit shardgroup.Commit) (points.Outcome, error) {
	out, err := s.apply(ctx, batch, commit)

	// A partition that was there a moment ago has been dropped, perhaps by another
	// process: which are there is asked anew, once.
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && pg.Code == checkViolation {
		if err := s.listDays(ctx); err != nil {
			return points.Outcome{}, err
		}
		return s.apply(ctx, batch, commit)
	}
	return out, err
}

func (s *store) apply(ctx context.Context, batch []points.Arrival, commit shardgroup.Commit) (points.Outcome, error) {
	if err := s.ensureDays(ctx, batch); err != nil {
		return points.Outcome{}, err
	}
	if err := s.judgeReturning(ctx, batch); err != nil {
		return points.Outcome{}, err
	}
	batch, late := s.partLate(batch)

	var stored int64
	var rest []points.Arrival
	//excerpt:apply
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var err error
		if rest, err = partErased(ctx, tx, batch); err != nil {
			return err
		}
		if stored, err = s.insert(ctx, tx, rest); err != nil {
			return err
		}
		if err := countLate(ctx, tx, late); err != nil {
			return err
		}
		// Last, so that the lease is locked for the shortest time: from here on
		// nobody takes over until these rows are visible with their checkpoint.
		return commit(ctx, tx)
	})
	if err != nil {
		return points.Outcome{}, err
	}
	//excerpt:end

	if len(late) > 0 {
		s.late(len(late))
	}
	return points.Outcome{Repeated: len(rest) - int(stored), Skipped: len(batch) - len(rest) + len(late)}, nil
}

// judgeReturning sets Rises of the points that the reader had set aside: by what had
// arrived before them, as if they had never been. What came since says nothing.
func (s *store) judgeReturning(ctx context.Context, batch []points.Arrival) error {
	for i, a := range batch {
		if !a.Returns {
			continue
		}
		mark := event.NewMark()
		if err := NewestBefore(ctx, s.pool, []string{a.Driver}, a.Arrived, mark); err != nil {
			return err
		}
		batch[i].Rises = mark.Rises(a.Driver, a.Seq)
	}
	return nil
}

// partLate parts the points of days that were dropped from the others.
func (s *store) partLate(batch []points.Arrival) (rest, late []points.Arrival) {
	tooLate := func(a points.Arrival) bool { return s.wasDropped(dayOf(a)) }
	if !slices.ContainsFunc(batch, tooLate) {
		return batch, nil
	}

	for _, a := range batch {
		if tooLate(a) {
			late = append(late, a)
		} else {
			rest = append(rest, a)
		}
	}
	return rest, late
}

// countLate counts points that came too late as expired. Whether one of them had been
// stored before its day was dropped cannot be told any more.
func countLate(ctx context.Context, tx pgx.Tx, late []points.Arrival) error {
	type count struct{ points, notRising int64 }
	days := map[time.Time]count{}
	for _, a := range late {
		n := days[dayOf(a)]
		n.points++
		if !a.Rises {
			n.notRising++
		}
		days[dayOf(a)] = n
	}

	for day, n := range days {
		if err := expired(ctx, tx, day, n.points, n.notRising); err != nil {
			return fmt.Errorf("count late points: %w", err)
		}
	}
	return nil
}

// insert stores the batch and returns how many of its points were new.
func (s *store) insert(ctx context.Context, tx pgx.Tx, batch []points.Arrival) (int64, error) {
	// COPY is several times as fast as INSERT but cannot skip a row that exists.
	// Repeats are rare: so COPY under a savepoint first, and the slower way only
	// where a repeat is met.
	var n int64
	err := pgx.BeginFunc(ctx, tx, func(savepoint pgx.Tx) error {
		var err error
		n, err = savepoint.CopyFrom(ctx, pgx.Identifier{"history", "points"}, columns(), rowsOf(batch))
		return err
	})

	var pg *pgconn.PgError
	switch {
	case err == nil:
		return n, nil
	case errors.As(err, &pg) && pg.Code == uniqueViolation:
		return s.insertNew(ctx, tx, batch)
	}
	return 0, fmt.Errorf("store points: %w", err)
}

// insertNew stages the batch and inserts the points that have no row yet.
func (s *store) insertNew(ctx context.Context, tx pgx.Tx, batch []points.Arrival) (int64, error) {
	if _, err := tx.Exec(ctx, `CREATE TEMPORARY TABLE staged (LIKE history.points) ON COMMIT DROP`); err != nil {
		return 0, fmt.Errorf("stage points: %w", err)
	}

	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"staged"}, columns(), rowsOf(batch)); err != nil {
		return 0, fmt.Errorf("stage points: %w", err)
	}

	// In the order of the stream: of two with one key the first is kept.
	tag, err := tx.Exec(ctx, `INSERT INTO history.points SELECT * FROM staged ORDER BY ctid ON CONFLICT DO NOTHING`)
	if err != nil {
		return 0, fmt.Errorf("store staged points: %w", err)
	}
	return tag.RowsAffected(), nil
}

func columns() []string {
	return []string{"day", "driver", "seq", "at", "lat", "lon", "speed", "heading", "accuracy", "arrived_at", "shard", "not_rising", "taken_at"}
}

func rowsOf(batch []points.Arrival) pgx.CopyFromSource {
	return pgx.CopyFromSlice(len(batch), func(i int) ([]any, error) {
		a := batch[i]
		var taken any // null: not known
		if a.Taken > 0 {
			taken = time.UnixMilli(a.Taken)
		}
		return []any{
			dayOf(a), a.Driver, a.Seq, a.Time(), a.Lat, a.Lon,
			stored(a.Speed), stored(a.Heading), stored(a.Accuracy), a.Arrived, a.Shard, !a.Rises, taken,
		}, nil
	})
}

// stored is what a column has for something measured; null: not known.
func stored(x *float64) any {
	if x == nil {
		return nil
	}
	return float32(*x)
}

// Newest sets mark to each driver's highest stored sequence.
func (s *store) Newest(ctx context.Context, drivers []string, mark event.Mark) error {
	// LATERAL with LIMIT 1 is one step into the newest day's index for each driver;
	// max(seq) would read all of its rows.
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
