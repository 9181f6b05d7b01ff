package history

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/points"
)

// eraseLock is held by whoever stores points, together with all others who do, and by
// Forget alone.
const eraseLock = `hashtext('history.erased')`

// tombstone is what is left of a driver whose points were erased.
type tombstone struct {
	at  time.Time
	seq int64 // the highest sequence that was counted as erased
}

// covers reports whether a point of the driver was erased.
func (t tombstone) covers(a points.Arrival) bool { return !a.Arrived.After(t.at) || a.Seq <= t.seq }

// Forget writes that all points of a driver up to now are erased, and returns the time
// that it noted. From its commit on history does not store them, and no batch that stores
// some is still under way. The points themselves are there until EraseRows. note is
// called in the transaction.
func Forget(ctx context.Context, pool *pgxpool.Pool, driver string, note func(pgx.Tx) error) (until time.Time, err error) {
	err = patiently(ctx, func() error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			// Batches stand behind this lock while it waits for those that are open.
			if _, err := tx.Exec(ctx, fmt.Sprintf(`SET LOCAL lock_timeout = '%dms'`, dropLockWait.Milliseconds())); err != nil {
				return err
			}
			// A batch that began without seeing the tombstone has committed its rows before
			// EraseRows looks for them.
			if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(`+eraseLock+`)`); err != nil {
				return err
			}

			err := tx.QueryRow(ctx, `INSERT INTO history.erased AS e (driver, erased_at, seq)
				SELECT $1, clock_timestamp(), coalesce((SELECT seq FROM history.points WHERE driver = $1 ORDER BY day DESC, seq DESC LIMIT 1), 0)
				ON CONFLICT (driver) DO UPDATE SET erased_at = excluded.erased_at, seq = greatest(e.seq, excluded.seq)
				RETURNING erased_at`, driver).Scan(&until)
			if err != nil {
				return err
			}
			return note(tx)
		})
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("history: forget a driver: %w", err)
	}
	return until, nil
}

// EraseRows deletes the points that Forget has noted as erased, and counts them in the
// same transaction, so that audit never misses one. It returns how many they were.
func EraseRows(ctx context.Context, tx pgx.Tx, driver string) (points int64, err error) {
	err = tx.QueryRow(ctx, `
		WITH gone AS (
			DELETE FROM history.points p USING history.erased e
			WHERE e.driver = $1 AND p.driver = e.driver AND (p.arrived_at <= e.erased_at OR p.seq <= e.seq)
			RETURNING p.day, p.not_rising
		), counted AS (
			INSERT INTO history.removed (reason, driver, day, points, not_rising)
			SELECT 'erased', $1, day, count(*), count(*) FILTER (WHERE not_rising) FROM gone GROUP BY day
			RETURNING points
		)
		SELECT coalesce(sum(points), 0)::bigint FROM counted`, driver).Scan(&points)
	if err != nil {
		return 0, fmt.Errorf("history: erase a driver's points: %w", err)
	}
	return points, nil
}

// querier is a pool or a transaction.
type querier interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// tombstones returns those of the batch's drivers that were erased. In a transaction
// they stay true until it ends.
func tombstones(ctx context.Context, q querier, batch []points.Arrival) (map[string]tombstone, error) {
	seen := map[string]bool{}
	var drivers []string
	for _, a := range batch {
		if !seen[a.Driver] {
			seen[a.Driver] = true
			drivers = append(drivers, a.Driver)
		}
	}

	out := map[string]tombstone{}
	var b pgx.Batch
	// Two statements in one round trip: the second sees what was committed before the
	// first had the lock.
	b.Queue(`SELECT pg_advisory_xact_lock_shared(` + eraseLock + `)`)
	b.Queue(`SELECT driver, erased_at, seq FROM history.erased WHERE driver = ANY($1)`, drivers).Query(func(rows pgx.Rows) error {
		var driver string
		var t tombstone
		_, err := pgx.ForEachRow(rows, []any{&driver, &t.at, &t.seq}, func() error {
			out[driver] = t
			return nil
		})
		return err
	})
	if err := q.SendBatch(ctx, &b).Close(); err != nil {
		return nil, fmt.Errorf("look up erased drivers: %w", err)
	}
	return out, nil
}

// partErased leaves out the batch's points that were erased. Those that nobody has read
// before are counted, in the transaction of the checkpoint.
func partErased(ctx context.Context, tx pgx.Tx, batch []points.Arrival) (rest []points.Arrival, err error) {
	erased, err := tombstones(ctx, tx, batch)
	if err != nil || len(erased) == 0 {
		return batch, err
	}

	type place struct {
		driver string
		day    time.Time
	}
	unread := map[place]int64{}
	for _, a := range batch {
		t, ok := erased[a.Driver]
		if !ok || !t.covers(a) {
			rest = append(rest, a)
			continue
		}
		// By rising sequences a repeat of what was counted is told from what was not.
		if a.Seq > t.seq {
			unread[place{a.Driver, dayOf(a)}]++
			erased[a.Driver] = tombstone{t.at, a.Seq}
		}
	}

	for p, n := range unread {
		_, err := tx.Exec(ctx, `WITH counted AS (INSERT INTO history.removed (reason, driver, day, points) VALUES ('erased', $1, $2, $3))
			UPDATE history.erased SET seq = greatest(seq, $4) WHERE driver = $1`, p.driver, p.day, n, erased[p.driver].seq)
		if err != nil {
			return nil, fmt.Errorf("count erased points: %w", err)
		}
	}
	return rest, nil
}

// withoutErased returns the batch without the points of erased drivers. That is no more
// than a look: a driver may be erased right after it.
func (s *store) withoutErased(ctx context.Context, batch []points.Arrival) ([]points.Arrival, error) {
	erased, err := tombstones(ctx, s.pool, batch)
	if err != nil || len(erased) == 0 {
		return batch, err
	}
	return slices.DeleteFunc(slices.Clone(batch), func(a points.Arrival) bool {
		t, ok := erased[a.Driver]
		return ok && t.covers(a)
	}), nil
}
