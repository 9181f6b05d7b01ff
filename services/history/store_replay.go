package history

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
)

// ErrReplayUnderWay is that of a second replay.
var ErrReplayUnderWay = errors.New("another replay of history is under way")

// A KeptError says that history has points of the span which the stream no longer keeps:
// reading it again would lose them.
type KeptError struct {
	Points int64
	First  time.Time // the oldest arrival among them
}

func (e *KeptError) Error() string {
	return fmt.Sprintf("history has %d points of the span that the stream does not keep any more, the first of %s", e.Points, e.First.UTC().Format(time.RFC3339Nano))
}

// Digest is a number of rows and the SHA-256 of them.
type Digest struct {
	Rows   int64
	SHA256 string
}

// Replaced is what a Replay did, or would have done.
type Replaced struct {
	Before, After  Digest // of the span's rows, in the order of driver and sequence, as COPY writes them
	Removed, Added int64  // a row that came out otherwise counts in both
	Repeated       int64  // points that the stream has more than once, or had before the span
	Erased         int64  // points of drivers that were erased: they stay so
	Expired        int64  // points of days that were dropped: they stay so
}

// Replay replaces the rows of one span of arrivals by what was read again. Add, then
// Replace, then Close. It is not safe for concurrent use.
type Replay struct {
	s        *store
	conn     *pgxpool.Conn
	from, to time.Time
}

// NewReplay begins a replay of from <= arrival < to. Another one under way is
// ErrReplayUnderWay.
func NewReplay(ctx context.Context, pool *pgxpool.Pool, from, to time.Time) (*Replay, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("history: replay: %w", err)
	}
	r := &Replay{s: newStore(pool), conn: conn, from: from.UTC(), to: to.UTC()}

	// A session's lock: it is held while the stream is read, in no transaction.
	var ours bool
	err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtext('history.replay'))`).Scan(&ours)
	if err == nil && !ours {
		err = ErrReplayUnderWay
	}
	if err == nil {
		// What is read again is staged beside history, where no reader meets it.
		_, err = conn.Exec(ctx, `CREATE TEMPORARY TABLE again (LIKE history.points, place bigint GENERATED ALWAYS AS IDENTITY)`)
	}
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("history: replay: %w", err)
	}
	return r, nil
}

// Close drops what was staged, and lets another replay begin.
func (r *Replay) Close() {
	// The connection's end is that of its lock and its temporary tables.
	conn := r.conn.Hijack()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// The server sees that end a moment later: who asks next, having waited for this, is not
	// to be refused.
	_, _ = conn.Exec(ctx, `SELECT pg_advisory_unlock_all()`)
	_ = conn.Close(ctx)
}

// NewestBefore sets mark to each driver's highest sequence that arrived before t: what a
// reader knew of it then. A driver of whom nothing is kept is left as it is.
func NewestBefore(ctx context.Context, pool *pgxpool.Pool, drivers []string, t time.Time, mark event.Mark) error {
	rows, err := pool.Query(ctx, `
		SELECT d, p.seq FROM unnest($1::text[]) AS d
		CROSS JOIN LATERAL (SELECT seq FROM history.points WHERE driver = d AND arrived_at < $2 ORDER BY day DESC, seq DESC LIMIT 1) p`, drivers, t)
	if err != nil {
		return fmt.Errorf("history: marks of %s: %w", t.Format(time.RFC3339), err)
	}

	var driver string
	var seq int64
	_, err = pgx.ForEachRow(rows, []any{&driver, &seq}, func() error {
		mark[driver] = seq
		return nil
	})
	if err != nil {
		return fmt.Errorf("history: marks of %s: %w", t.Format(time.RFC3339), err)
	}
	return nil
}

// Add stages points of the span, those of a driver in the order of the stream, with
// Rises as it was by the marks of before the span.
func (r *Replay) Add(ctx context.Context, batch []points.Arrival) error {
	// A partition that is missing is created, in the same bounds as for the reader.
	if err := r.s.ensureDays(ctx, batch); err != nil {
		return fmt.Errorf("history: replay: %w", err)
	}
	if _, err := r.conn.Conn().CopyFrom(ctx, pgx.Identifier{"again"}, columns(), rowsOf(batch)); err != nil {
		return fmt.Errorf("history: stage points: %w", err)
	}
	return nil
}

// Replace makes the span's rows those that were added, in one transaction; with dryRun
// it finds out what that would be. kept holds the shards that were read, each with the
// arrival of the oldest record that it still has. A row of before that which was not
// read again is a KeptError, and nothing is changed.
func (r *Replay) Replace(ctx context.Context, kept map[string]time.Time, dryRun bool) (Replaced, error) {
	var out Replaced
	tx, err := r.conn.Begin(ctx)
	if err != nil {
		return out, fmt.Errorf("history: replay: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()

	if out, err = r.replace(ctx, tx, kept); err != nil {
		return out, fmt.Errorf("history: replay: %w", err)
	}
	if dryRun {
		return out, nil
	}
	if err := tx.Commit(ctx); err != nil {
		return out, fmt.Errorf("history: replay: %w", err)
	}
	return out, nil
}

// The rows of the span, and those that were added, as far as they are to be there. $1 and
// $2 are the span.
const (
	rowsInSpan = `SELECT %[1]s FROM history.points p WHERE arrived_at >= $1 AND arrived_at < $2 AND ` + notErased

	// What a tombstone covers comes back no more; rows of it that are there still are
	// EraseRows' to delete, which counts them.
	notErased = `NOT EXISTS (SELECT FROM history.erased e WHERE e.driver = p.driver AND (p.arrived_at <= e.erased_at OR p.seq <= e.seq))`

	// Of two with one key the first is kept, as the reader does; and a row from outside
	// of the span stays what it is.
	rowsAgain = `SELECT DISTINCT ON (driver, day, seq) %[1]s FROM again p
		WHERE NOT EXISTS (SELECT FROM history.days d WHERE d.day = p.day AND d.dropped_at IS NOT NULL) AND ` + notErased + `
		AND NOT EXISTS (SELECT FROM history.points o WHERE (o.driver, o.day, o.seq) = (p.driver, p.day, p.seq)
			AND (o.arrived_at < $1 OR o.arrived_at >= $2))
		ORDER BY driver, day, seq, place`
)

func (r *Replay) replace(ctx context.Context, tx pgx.Tx, kept map[string]time.Time) (out Replaced, err error) {
	// Retention, which takes SHARE, drops no partition until the end, and gives up soon
	// where it has to wait; readers that store points take the same locks as this. No
	// tombstone is written before the end.
	for _, sql := range []string{
		`SET LOCAL idle_in_transaction_session_timeout = 0`,
		`SELECT pg_advisory_xact_lock_shared(` + eraseLock + `)`,
		`LOCK TABLE history.points IN ROW EXCLUSIVE MODE`,
		`CREATE TEMPORARY TABLE had (LIKE history.points) ON COMMIT DROP`,
		`CREATE TEMPORARY TABLE wanted (LIKE history.points) ON COMMIT DROP`,
		`CREATE TEMPORARY TABLE removed (LIKE history.points) ON COMMIT DROP`,
		`CREATE TEMPORARY TABLE added (LIKE history.points) ON COMMIT DROP`,
		`ANALYZE again`,
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return out, err
		}
	}

	all := strings.Join(columns(), ", ")
	into := func(table, query string, args ...any) (int64, error) {
		tag, err := tx.Exec(ctx, fmt.Sprintf(`INSERT INTO `+table+` (%[1]s) `+query, all), args...)
		return tag.RowsAffected(), err
	}
	if _, err := into("had", rowsInSpan, r.from, r.to); err != nil {
		return out, err
	}
	if out.Before, err = r.digest(ctx, tx, "had"); err != nil {
		return out, err
	}

	wanted, err := into("wanted", rowsAgain, r.from, r.to)
	if err != nil {
		return out, err
	}
	if err := r.count(ctx, tx, wanted, &out); err != nil {
		return out, err
	}

	// Rows that are as they should be are left alone: nobody waits for a lock on them.
	if out.Removed, err = into("removed", `SELECT %[1]s FROM had EXCEPT SELECT %[1]s FROM wanted`); err != nil {
		return out, err
	}
	if out.Added, err = into("added", `SELECT %[1]s FROM wanted EXCEPT SELECT %[1]s FROM had`); err != nil {
		return out, err
	}
	if err := r.checkKept(ctx, tx, kept); err != nil {
		return out, err
	}

	if _, err := tx.Exec(ctx, `DELETE FROM history.points p USING removed r WHERE (p.driver, p.day, p.seq) = (r.driver, r.day, r.seq)`); err != nil {
		return out, err
	}
	// A repeat of such a point may have arrived a moment ago and be stored by the reader.
	if _, err := into("history.points", `SELECT %[1]s FROM added ORDER BY driver, day, seq ON CONFLICT DO NOTHING`); err != nil {
		return out, err
	}

	// What is there now is read again, and not computed from what was to be.
	if _, err := tx.Exec(ctx, `TRUNCATE had`); err != nil {
		return out, err
	}
	if _, err := into("had", rowsInSpan, r.from, r.to); err != nil {
		return out, err
	}
	out.After, err = r.digest(ctx, tx, "had")
	return out, err
}

// count counts what was added and is not wanted.
func (r *Replay) count(ctx context.Context, tx pgx.Tx, wanted int64, out *Replaced) error {
	var read int64
	err := tx.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE late), count(*) FILTER (WHERE erased AND NOT late) FROM (
		SELECT day IN (SELECT day FROM history.days WHERE dropped_at IS NOT NULL) AS late, NOT (`+notErased+`) AS erased FROM again p) AS a`).
		Scan(&read, &out.Expired, &out.Erased)
	out.Repeated = read - out.Expired - out.Erased - wanted
	return err
}

// checkKept fails where a row would be lost because the stream has dropped its record:
// early, for by its retention the span is whole.
func (r *Replay) checkKept(ctx context.Context, tx pgx.Tx, kept map[string]time.Time) error {
	var shards []string
	var since []time.Time
	for shard, t := range kept {
		shards, since = append(shards, shard), append(since, t)
	}

	var n int64
	var first *time.Time
	err := tx.QueryRow(ctx, `
		SELECT count(*), min(r.arrived_at) FROM removed r
		LEFT JOIN unnest($1::text[], $2::timestamptz[]) AS k (shard, since) USING (shard)
		WHERE NOT EXISTS (SELECT FROM wanted w WHERE (w.driver, w.day, w.seq) = (r.driver, r.day, r.seq))
		AND (k.since IS NULL OR r.arrived_at < k.since)`, shards, since).Scan(&n, &first)
	if err == nil && n > 0 {
		return &KeptError{Points: n, First: *first}
	}
	return err
}

// digest returns the SHA-256 of a table's rows as COPY writes them: psql can repeat it.
func (r *Replay) digest(ctx context.Context, tx pgx.Tx, table string) (Digest, error) {
	h := sha256.New()
	tag, err := tx.Conn().PgConn().CopyTo(ctx, h, fmt.Sprintf(`COPY (SELECT %s FROM %s ORDER BY driver, seq) TO STDOUT`,
		strings.Join(slices.Clone(columns()), ", "), table))
	return Digest{Rows: tag.RowsAffected(), SHA256: hex.EncodeToString(h.Sum(nil))}, err
}
