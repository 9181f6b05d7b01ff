package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// DefaultKeep is how long a point is kept, counted from its arrival.
	DefaultKeep = 7 * 24 * time.Hour
	// LeastKeep is the shortest time. A stream keeps a record for a day at least, so it may
	// be read again until then; and a point of yesterday may arrive today.
	LeastKeep = 3 * 24 * time.Hour

	// A drop waits no longer than this for the locks of others: whoever writes next
	// stands behind it for as long.
	dropLockWait = 100 * time.Millisecond
	dropTries    = 50
	dropPause    = 100 * time.Millisecond

	lockNotAvailable = "55P03"
	deadlockDetected = "40P01"
)

// dropOld drops each partition of which no point arrived within keep, and returns how
// many points that were. A partition that others hold for long is left for the next
// time, with an error.
func (s *store) dropOld(ctx context.Context, keep time.Duration) (int64, error) {
	if err := s.listDays(ctx); err != nil {
		return 0, err
	}

	var total int64
	var failed []error
	limit := s.now().Add(-keep)
	for _, day := range s.knownDays() {
		// A younger day may have been created a moment ago, and be empty still.
		n, err := int64(0), error(nil)
		if !day.AddDate(0, 0, 1).After(limit) {
			n, err = s.dropDayPatiently(ctx, day, limit)
		}
		total += n
		if err != nil {
			failed = append(failed, fmt.Errorf("drop the partition of %s: %w", day.Format(time.DateOnly), err))
		}
	}
	return total, errors.Join(failed...)
}

// dropDayPatiently tries again where others hold the locks.
func (s *store) dropDayPatiently(ctx context.Context, day, limit time.Time) (n int64, err error) {
	err = patiently(ctx, func() (err error) {
		n, err = s.dropDay(ctx, day, limit)
		return err
	})
	return n, err
}

// patiently tries again where others hold the locks that do waits for.
func patiently(ctx context.Context, do func() error) (err error) {
	for range dropTries {
		err = do()
		var pg *pgconn.PgError
		if err == nil || !errors.As(err, &pg) || pg.Code != lockNotAvailable && pg.Code != deadlockDetected {
			return err
		}

		// Writers go on in the pause; nobody waits behind a lock that is not held.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(dropPause):
		}
	}
	return err
}

// dropDay drops a day's partition if all of it arrived before limit, and counts its
// points as expired in the same transaction: audit never sees one without the other.
func (s *store) dropDay(ctx context.Context, day, limit time.Time) (points int64, err error) {
	table := pgx.Identifier{"history", partitionOf(day)}.Sanitize()
	dropped := false
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// Most partitions are young. That is found out without a lock which anyone waits for.
		if old, err := s.isOld(ctx, tx, table, day, limit); err != nil || !old {
			return err
		}
		if _, err := tx.Exec(ctx, fmt.Sprintf(`SET LOCAL lock_timeout = '%dms'`, dropLockWait.Milliseconds())); err != nil {
			return err
		}

		// From here on nobody writes into this partition, and the count stays true. All
		// other days are written to meanwhile.
		if _, err := tx.Exec(ctx, `LOCK TABLE `+table+` IN SHARE MODE`); err != nil {
			return err
		}
		if old, err := s.isOld(ctx, tx, table, day, limit); err != nil || !old {
			return err
		}

		var notRising int64
		if err := tx.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE not_rising) FROM `+table).Scan(&points, &notRising); err != nil {
			return err
		}
		if err := expired(ctx, tx, day, points, notRising); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO history.days (day, created_at, dropped_at) VALUES ($1::date, $1::date, now())
			ON CONFLICT (day) DO UPDATE SET dropped_at = now()`, day)
		if err != nil {
			return err
		}

		// Last, because it locks the parent table, for the moment until the commit.
		if _, err := tx.Exec(ctx, `DROP TABLE `+table); err != nil {
			return err
		}
		dropped = true
		return nil
	})
	if err != nil || !dropped {
		return 0, err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.days, day)
	s.dropped[day] = true
	return points, nil
}

// isOld reports whether the partition was created before limit, and none of its points
// arrived since.
func (s *store) isOld(ctx context.Context, tx pgx.Tx, table string, day, limit time.Time) (old bool, err error) {
	// An import may be about to store points in a partition that it has just created.
	err = tx.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM history.days WHERE day = $1 AND created_at >= $2)
		AND NOT EXISTS (SELECT FROM `+table+` WHERE arrived_at >= $2)`, day, limit).Scan(&old)
	return old, err
}

// expired notes points that are not kept any more, so that audit adds up.
func expired(ctx context.Context, tx pgx.Tx, day time.Time, points, notRising int64) error {
	if points == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO history.removed (reason, day, points, not_rising) VALUES ('expired', $1, $2, $3)`, day, points, notRising)
	return err
}

// ExpiredSince reports whether points that arrived at or after a time may have been
// counted as expired: read again from then on, they would be counted again. What a day's
// drop has counted arrived LeastKeep before it, or earlier.
func ExpiredSince(ctx context.Context, pool *pgxpool.Pool, t time.Time) (yes bool, err error) {
	err = pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM history.removed r WHERE reason = 'expired' AND removed_at >= $1
		AND NOT EXISTS (SELECT FROM history.days d WHERE d.day = r.day AND d.dropped_at = r.removed_at AND d.dropped_at - $2::interval < $1))`, t, LeastKeep).Scan(&yes)
	if err != nil {
		return false, fmt.Errorf("history: look at what expired: %w", err)
	}
	return yes, nil
}
