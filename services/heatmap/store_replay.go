package heatmap

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/points"
)

// ErrReplayUnderWay is that of a second replay.
var ErrReplayUnderWay = errors.New("another replay of the heatmap is under way")

// A KeptError says that the heatmap has counted points of the span which the stream
// perhaps no longer keeps: counting again would lose them.
type KeptError struct {
	Rows  int64
	First time.Time // the oldest arrival among them
}

func (e *KeptError) Error() string {
	return fmt.Sprintf("%d rows of the heatmap have counted more than the stream still keeps, the first since %s", e.Rows, e.First.UTC().Format(time.RFC3339Nano))
}

// Digest is a number of rows and the SHA-256 of them.
type Digest struct {
	Rows   int64
	SHA256 string
}

// Swapped is what a Replay did, or would have done. The live rows are those whose
// arrivals all lie inside the span.
type Swapped struct {
	Generation     int
	Built          Digest // all that the span's records come to: the same each time
	Points         int64  // that were counted in them
	Before, After  Digest // the live rows, by window and cell
	Edges          int64  // of the built rows: live ones that reach beyond the span, left as they were
	Removed, Added int64  // a row that came out otherwise counts in both
}

// Replay counts one span of arrivals into a new generation. Add, then Swap, then Close.
// It is not safe for concurrent use.
type Replay struct {
	conn     *pgxpool.Conn
	next     *store // of the new generation
	from, to time.Time
}

// NewReplay begins a replay of from <= arrival < to. Another one under way is
// ErrReplayUnderWay.
func NewReplay(ctx context.Context, pool *pgxpool.Pool, from, to time.Time) (*Replay, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("heatmap: replay: %w", err)
	}
	r := &Replay{conn: conn, next: newStore(pool), from: from.UTC(), to: to.UTC()}
	if err := r.begin(ctx); err != nil {
		r.Close()
		return nil, fmt.Errorf("heatmap: replay: %w", err)
	}
	return r, nil
}

func (r *Replay) begin(ctx context.Context) error {
	// A session's lock: it is held while the stream is read, in no transaction.
	var ours bool
	err := r.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtext('heatmap.replay'))`).Scan(&ours)
	if err == nil && !ours {
		err = ErrReplayUnderWay
	}
	if err != nil {
		return err
	}

	// Whoever wrote these has ended: the lock is ours.
	if _, err := r.conn.Exec(ctx, `DELETE FROM heatmap.cells WHERE generation > $1`, generation); err != nil {
		return err
	}
	return r.conn.QueryRow(ctx, `
		INSERT INTO heatmap.generations (generation, from_at, to_at)
		SELECT 1 + greatest($1, max(generation)), $2, $3 FROM heatmap.generations RETURNING generation`,
		generation, r.from, r.to).Scan(&r.next.generation)
}

// Close lets another replay begin.
func (r *Replay) Close() {
	// The connection's end is that of its lock.
	conn := r.conn.Hijack()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// The server sees that end a moment later: who asks next, having waited for this, is not
	// to be refused.
	_, _ = conn.Exec(ctx, `SELECT pg_advisory_unlock_all()`)
	_ = conn.Close(ctx)
}

// Add counts points of the span, with Rises as it was by the marks of before the span.
func (r *Replay) Add(ctx context.Context, batch []points.Arrival) error {
	var b pgx.Batch
	// Hours are of the live rows alone: they follow when these rows take their place.
	r.next.addMinutes(&b, tallyUp(batch, time.Now().Add(presenceKept))) // of presence nothing is noted again
	if b.Len() == 0 {
		return nil
	}
	if err := r.conn.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("heatmap: count points again: %w", err)
	}
	return nil
}

// Swap puts the new generation in the place of the live rows whose arrivals all lie inside
// the span, in one transaction; with dryRun it finds out what that would change. A row
// with arrivals outside of the span stays as it is. kept is the time from which on the
// stream has all that it got: a row that counts less than a live one of before is a
// KeptError, and nothing is changed.
func (r *Replay) Swap(ctx context.Context, kept time.Time, dryRun bool) (Swapped, error) {
	out := Swapped{Generation: r.next.generation}
	tx, err := r.conn.Begin(ctx)
	if err != nil {
		return out, fmt.Errorf("heatmap: replay: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()

	err = r.compare(ctx, tx, kept, &out)
	if err == nil && !dryRun {
		err = r.swap(ctx, tx, &out)
	}
	if err == nil && !dryRun {
		err = tx.Commit(ctx)
	}
	if err != nil {
		return out, fmt.Errorf("heatmap: replay: %w", err)
	}

	if out.Removed+out.Added > 0 && !dryRun {
		if out.After, err = r.readAgain(ctx); err != nil {
			return out, fmt.Errorf("heatmap: replay: the rows were replaced, and reading them again fails: %w", err)
		}
	}
	return out, nil
}

// readAgain returns what is there now: it is read, and not computed from what was to be;
// and after the commit, since nobody has to wait for it.
func (r *Replay) readAgain(ctx context.Context) (after Digest, err error) {
	err = pgx.BeginFunc(ctx, r.conn, func(tx pgx.Tx) error {
		if err := r.inside(ctx, tx); err != nil {
			return err
		}
		after, err = digest(ctx, tx, "inside")
		return err
	})
	return after, err
}

// inside fills the temporary table inside with the live rows of the span.
func (r *Replay) inside(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`); err != nil {
		return err
	}
	if err := temporary(ctx, tx, "inside"); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO inside `+liveInside, generation, r.from, r.to)
	return err
}

// temporary creates empty tables of minutes that tx alone has.
func temporary(ctx context.Context, tx pgx.Tx, tables ...string) error {
	for _, table := range tables {
		_, err := tx.Exec(ctx, `CREATE TEMPORARY TABLE `+table+` ON COMMIT DROP AS SELECT `+rowsOfPlace+` FROM heatmap.cells LIMIT 0`)
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	rowsOfPlace = `window_at, cell, n, first_arrived, last_arrived`
	// $1 is the generation, $2 and $3 the span.
	liveInside = `SELECT ` + rowsOfPlace + ` FROM heatmap.cells WHERE generation = $1 AND first_arrived >= $2 AND last_arrived < $3`
)

// compare finds the rows that differ, and locks none that anybody else writes.
func (r *Replay) compare(ctx context.Context, tx pgx.Tx, kept time.Time, out *Swapped) error {
	if err := r.inside(ctx, tx); err != nil {
		return err
	}
	if err := temporary(ctx, tx, "rebuilt", "removed", "added"); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO rebuilt SELECT `+rowsOfPlace+` FROM heatmap.cells WHERE generation = $1`, r.next.generation)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `ANALYZE rebuilt`); err != nil {
		return err
	}
	if out.Built, err = digest(ctx, tx, "rebuilt"); err != nil {
		return err
	}
	if err := tx.QueryRow(ctx, `SELECT coalesce(sum(n), 0)::bigint FROM rebuilt`).Scan(&out.Points); err != nil {
		return err
	}

	// What has arrivals outside of the span was counted in part only.
	edges, err := tx.Exec(ctx, `DELETE FROM rebuilt r USING heatmap.cells c WHERE c.generation = $1
		AND (c.window_at, c.cell) = (r.window_at, r.cell) AND (c.first_arrived < $2 OR c.last_arrived >= $3)`, generation, r.from, r.to)
	if err != nil {
		return err
	}
	out.Edges = edges.RowsAffected()
	if out.Before, err = digest(ctx, tx, "inside"); err != nil {
		return err
	}
	out.After = out.Before

	for _, step := range []struct {
		n   *int64
		sql string
	}{
		{&out.Removed, `INSERT INTO removed SELECT * FROM inside EXCEPT SELECT * FROM rebuilt`},
		{&out.Added, `INSERT INTO added SELECT * FROM rebuilt EXCEPT SELECT * FROM inside`},
	} {
		tag, err := tx.Exec(ctx, step.sql)
		if err != nil {
			return err
		}
		*step.n = tag.RowsAffected()
	}
	if out.Removed+out.Added > 0 {
		if out.After, err = digest(ctx, tx, "rebuilt"); err != nil {
			return err
		}
	}
	return checkKept(ctx, tx, kept)
}

// checkKept fails where a row would count less because the stream has dropped records
// before their time.
func checkKept(ctx context.Context, tx pgx.Tx, kept time.Time) error {
	var n int64
	var first *time.Time
	err := tx.QueryRow(ctx, `
		SELECT count(*), min(first_arrived) FROM removed r WHERE first_arrived < $1 AND NOT EXISTS (
			SELECT FROM rebuilt b WHERE (b.window_at, b.cell) = (r.window_at, r.cell) AND b.n >= r.n AND b.first_arrived <= r.first_arrived)`,
		kept).Scan(&n, &first)
	if err == nil && n > 0 {
		return &KeptError{Rows: n, First: *first}
	}
	return err
}

// swap writes what compare found.
func (r *Replay) swap(ctx context.Context, tx pgx.Tx, out *Swapped) error {
	if out.Removed+out.Added > 0 {
		// The planner then goes by the keys of what differs, and does not read all there is.
		if _, err := tx.Exec(ctx, `ANALYZE removed, added`); err != nil {
			return err
		}

		// The live reader waits from here to the commit, instead of meeting these rows in
		// another order than that in which it locks them.
		if _, err := tx.Exec(ctx, `LOCK TABLE heatmap.cells IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}

		// A late point may have been added to a row a moment ago: that one reaches beyond
		// the span now, and stays.
		_, err := tx.Exec(ctx, `DELETE FROM heatmap.cells c USING removed r WHERE c.generation = $1
			AND (c.window_at, c.cell) = (r.window_at, r.cell) AND c.first_arrived >= $2 AND c.last_arrived < $3`, generation, r.from, r.to)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE heatmap.cells c SET generation = $1 FROM added a WHERE c.generation = $2
			AND (c.window_at, c.cell) = (a.window_at, a.cell)
			AND NOT EXISTS (SELECT FROM heatmap.cells l WHERE l.generation = $1 AND (l.window_at, l.cell) = (c.window_at, c.cell))`,
			generation, r.next.generation)
		if err != nil {
			return err
		}

		_, err = tx.Exec(ctx, `CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
			SELECT date_trunc('hour', window_at, 'UTC') AS hour_at, cell FROM (TABLE removed UNION ALL TABLE added) AS rows GROUP BY 1, 2`)
		if err != nil {
			return err
		}
		if err := hoursAgain(ctx, tx, generation); err != nil {
			return err
		}
	}

	// The rest is as the live rows are, or of an edge.
	if _, err := tx.Exec(ctx, `DELETE FROM heatmap.cells WHERE generation = $1`, r.next.generation); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE heatmap.generations SET swapped_at = clock_timestamp(), sha256 = $2 WHERE generation = $1`, r.next.generation, out.Built.SHA256)
	return err
}

// digest returns the SHA-256 of a table's rows as COPY writes them: psql can repeat it.
func digest(ctx context.Context, tx pgx.Tx, table string) (Digest, error) {
	h := sha256.New()
	tag, err := tx.Conn().PgConn().CopyTo(ctx, h, `COPY (SELECT `+rowsOfPlace+` FROM `+table+` ORDER BY window_at, cell) TO STDOUT`)
	return Digest{Rows: tag.RowsAffected(), SHA256: hex.EncodeToString(h.Sum(nil))}, err
}
