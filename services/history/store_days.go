package history

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/points"
	"tandem/services/internal/stream/shardgroup"
)

const (
	// maxPerBatch bounds the partitions that are created for one batch: each takes
	// some 10 ms to 40 ms, and the shard waits for them.
	maxPerBatch = 100
	// maxPerDay bounds those that are created in 24 hours: each makes every look at a
	// driver slower.
	maxPerDay = 400
)

// dayOf is the UTC date of a point's sequence: its partition.
func dayOf(a points.Arrival) time.Time { return dateOf(time.UnixMilli(a.Seq)) }

func dateOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// present reports whether the point is of the day on which it arrived, or the next
// or the one before.
func present(a points.Arrival) bool {
	return dayOf(a).Sub(dateOf(a.Arrived)).Abs() <= 24*time.Hour
}

var (
	errBatchDays = errors.New("the batch needs more partitions than are created at once")
	errDayDays   = errors.New("more partitions would be created today than may be")
)

// ensureDays creates the partitions that a batch needs and that were not dropped, each
// in a transaction of its own and before the batch's, so that its locks are held for a moment only.
// Points of other days than the present share what may be created. The error
// names all that are beyond that, so that the group parks them in one step.
func (s *store) ensureDays(ctx context.Context, batch []points.Arrival) error {
	missing := func(a points.Arrival) bool { return !s.hasDay(dayOf(a)) && !s.wasDropped(dayOf(a)) }
	if !slices.ContainsFunc(batch, missing) {
		return nil
	}
	if err := s.listDays(ctx); err != nil {
		return err
	}
	// What was erased needs no partition, and must not be parked for want of one.
	batch, err := s.withoutErased(ctx, batch)
	if err != nil {
		return err
	}

	var beyond []error
	var full error // why no more partitions are created
	created := 0
	for _, a := range batch {
		if !missing(a) {
			continue
		}

		// A driver's point of today never waits behind what an import has used up.
		free := present(a)
		if !free && full == nil && created == s.perBatch {
			full = errBatchDays
		}

		day := dayOf(a)
		if free || full == nil {
			err := s.createDay(ctx, day, free)
			switch {
			case err == nil:
				if !free {
					created++
				}
				continue
			case !errors.Is(err, errDayDays):
				return fmt.Errorf("create the partition of %s: %w", day.Format(time.DateOnly), err)
			}
			full = err
		}
		beyond = append(beyond, shardgroup.Refused(a.Position(), fmt.Errorf("partition of %s: %w", day.Format(time.DateOnly), full)))
	}

	return errors.Join(beyond...)
}

func (s *store) hasDay(day time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.days[day]
}

// wasDropped reports whether the day's partition is known to have been dropped because
// of its age.
func (s *store) wasDropped(day time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped[day]
}

// knownDays returns the days whose partitions are known to exist, the oldest first.
func (s *store) knownDays() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Keys(s.days), time.Time.Compare)
}

// listDays notes the partitions that exist, and the days whose partition was dropped;
// it forgets all others.
func (s *store) listDays(ctx context.Context) error {
	// One statement sees one moment: no day is in both lists.
	rows, err := s.pool.Query(ctx, `SELECT to_date(right(c.relname, 8), 'YYYYMMDD'), false
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'history.points'::regclass
		UNION ALL SELECT day, true FROM history.days WHERE dropped_at IS NOT NULL`)
	if err != nil {
		return fmt.Errorf("list the partitions: %w", err)
	}

	days, dropped := map[time.Time]bool{}, map[time.Time]bool{}
	var day time.Time
	var gone bool
	_, err = pgx.ForEachRow(rows, []any{&day, &gone}, func() error {
		if gone {
			dropped[day] = true
		} else {
			days[day] = true
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list the partitions: %w", err)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.days, s.dropped = days, dropped
	return nil
}

func partitionOf(day time.Time) string { return "points_" + day.Format("20060102") }

// createDay creates a day's partition, unless it exists or was dropped. It returns
// errDayDays where too many were created lately, except for a day that is free.
func (s *store) createDay(ctx context.Context, day time.Time, free bool) error {
	name := partitionOf(day)
	dropped := false
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

		// Asked after the table was not found: whoever dropped it has committed both.
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM history.days WHERE day = $1 AND dropped_at IS NOT NULL)`, day).Scan(&dropped); err != nil || dropped {
			return err
		}
		if !free {
			if err := s.count(ctx, tx, day); err != nil {
				return err
			}
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
	if dropped {
		s.dropped[day] = true
	} else {
		s.days[day] = true
	}
	return nil
}

// count counts a partition that is created, of all processes together: the caller
// holds their lock. It returns errDayDays where that would be one too many.
func (s *store) count(ctx context.Context, tx pgx.Tx, day time.Time) error {
	tag, err := tx.Exec(ctx, `
		INSERT INTO history.days (day) SELECT $1
		WHERE (SELECT count(*) FROM history.days WHERE created_at > now() - interval '24 hours') < $2
		ON CONFLICT (day) DO UPDATE SET created_at = now()`, day, s.perDay)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return errDayDays
	}
	return nil
}
