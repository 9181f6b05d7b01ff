package outbox

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
)

// A turn takes this much at most: it is what the relay keeps in memory, and what is
// sent again after a crash before the commit.
const (
	turnRows  = 500
	turnBytes = 16 << 20
)

// walk is how far the relay has gone through the keys of a queue, in the order of
// the keys. Zero: the next turn begins with the first key.
type walk struct {
	open  bool
	after string // the key that was visited last
	last  string // the key that this walk ends with
}

// choose returns the first unsent rows of keys that may be sent now: for each key
// its rows in the order of seq. Each turn goes on where the one before ended, so
// that a key with many rows does not keep the others waiting.
func (r *Relay) choose(ctx context.Context, tx pgx.Tx, queue string) ([][]*row, error) {
	// Keys of which no row is due are walked past. If a walk that began here finds
	// nothing at all, there is nothing.
	for whole := false; ; {
		whole = whole || !r.walks[queue].open
		keys, err := r.nextKeys(ctx, tx, queue)
		if err != nil {
			return nil, err
		}
		rows, err := r.rowsOf(ctx, tx, queue, keys)
		if err != nil || len(rows) > 0 {
			return rows, err
		}
		if whole && !r.walks[queue].open {
			return nil, nil
		}
	}
}

// nextKeys returns the walk's next keys that have unsent rows, at most r.turnRows.
func (r *Relay) nextKeys(ctx context.Context, tx pgx.Tx, queue string) ([]string, error) {
	w := r.walks[queue]
	var after, until string
	args := []any{queue, r.turnRows}
	if w.open {
		after, until, args = ` AND key > $3`, ` AND key <= $4`, append(args, w.after, w.last)
	}

	// One step in the index for each key, however many rows it has.
	next := `SELECT min(key) FROM ` + r.o.Box.table + ` WHERE queue = $1 AND sent_at IS NULL AND set_aside_at IS NULL` + until
	found, err := tx.Query(ctx, `WITH RECURSIVE k(key, n) AS (
			(SELECT m, 1 FROM (`+next+after+`) AS first(m))
			UNION ALL SELECT (`+next+` AND key > k.key), n + 1 FROM k WHERE k.key IS NOT NULL AND n < $2)
		SELECT key FROM k WHERE key IS NOT NULL ORDER BY n`, args...)
	if err != nil {
		return nil, err
	}

	keys, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}

	if len(keys) < r.turnRows {
		r.walks[queue] = walk{}
		return keys, nil
	}

	if !w.open {
		// The walk ends where the keys end now. New keys may come at the end for ever,
		// and the first ones would not be visited again.
		err := tx.QueryRow(ctx, `SELECT max(key) FROM `+r.o.Box.table+` WHERE queue = $1 AND sent_at IS NULL AND set_aside_at IS NULL`, queue).Scan(&w.last)
		if err != nil {
			return nil, err
		}
	}

	r.walks[queue] = walk{open: true, after: keys[len(keys)-1], last: w.last}
	return keys, nil
}

// rowsOf returns the first rows of each key, up to the first that is not due for a
// try. Few keys have many rows each, and many keys one.
func (r *Relay) rowsOf(ctx context.Context, tx pgx.Tx, queue string, keys []string) ([][]*row, error) {
	if len(keys) == 0 {
		return nil, nil
	}

	found, err := tx.Query(ctx, `SELECT seq, id, queue, key, body, attributes, greatest(extract(epoch FROM due_at - clock_timestamp()), 0), tries FROM (
			SELECT o.*, n, sum(octet_length(body)) OVER (ORDER BY n, seq) - octet_length(body) AS bytes_before
			FROM unnest($2::text[]) WITH ORDINALITY AS k(key, n), LATERAL (
				SELECT *, bool_and(retry_at <= now()) OVER (ORDER BY seq) AS due FROM (
					SELECT * FROM `+r.o.Box.table+` WHERE queue = $1 AND key = k.key AND sent_at IS NULL AND set_aside_at IS NULL
					ORDER BY seq LIMIT $3) AS first
				) AS o WHERE due
		) AS o WHERE bytes_before < $4 ORDER BY n, seq`, queue, keys, r.turnRows/len(keys), r.turnBytes)
	if err != nil {
		return nil, err
	}

	rows, err := pgx.CollectRows(found, scan)
	if err != nil {
		return nil, err
	}

	// Cut short by the bytes: the next turn goes on with the keys that were left out.
	bytes := 0
	for _, x := range rows {
		bytes += len(x.body)
	}

	if bytes >= r.turnBytes {
		w := walk{open: true, after: rows[len(rows)-1].key, last: keys[len(keys)-1]}
		if before := r.walks[queue]; before.open {
			w.last = before.last
		}
		r.walks[queue] = w
	}
	return byKey(rows), nil
}

func scan(s pgx.CollectableRow) (*row, error) {
	var x row
	var delay float64
	err := s.Scan(&x.seq, &x.id, &x.queue, &x.key, &x.body, &x.attributes, &delay, &x.tries)
	x.delay = time.Duration(math.Ceil(delay)) * time.Second // SQS counts whole seconds; never too early
	return &x, err
}

// byKey groups rows that are sorted by key.
func byKey(rows []*row) [][]*row {
	var out [][]*row
	for i, x := range rows {
		if i == 0 || x.key != rows[i-1].key {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], x)
	}
	return out
}
