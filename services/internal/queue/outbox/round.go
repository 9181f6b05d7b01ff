package outbox

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	roundSize  = 10 * batchSize
	firstRetry = 500 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// row is one unsent message, and what became of it in this round.
type row struct {
	seq   int64
	id    string
	queue string
	key   string
	body  []byte
	delay time.Duration
	tries int

	messageID string
	err       error
}

// Round sends once what may be sent now, and returns how many rows it tried.
func (r *Relay) Round(ctx context.Context) (tried int, err error) {
	err = pgx.BeginFunc(ctx, r.o.Pool, func(tx pgx.Tx) error {
		// Two relays at once would send each row twice and could break the order
		// of a key. The lock ends with the transaction, so that a frozen process
		// does not keep it; and it is tried, not waited for, so that the other
		// relays keep no transaction open.
		var locked bool
		if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, r.o.Box.lock).Scan(&locked); err != nil || !locked {
			return err
		}

		rows, err := r.choose(ctx, tx)
		if err != nil || len(rows) == 0 {
			return err
		}
		tried = len(rows)

		// Sent before the commit: if the commit fails, the rows are sent again.
		// Marked first and sent afterwards, a crash in between would lose them.
		r.send(ctx, rows)
		return r.mark(ctx, tx, rows)
	})
	if err != nil {
		return 0, fmt.Errorf("outbox: %w", err)
	}
	return tried, nil
}

// choose returns the first unsent row of each key if it is due for a try. One
// row of a key at a time keeps the key's order: SQS may refuse one entry of a
// batch and take the next.
func (r *Relay) choose(ctx context.Context, tx pgx.Tx) ([]*row, error) {
	q := `SELECT o.seq, o.id, o.queue, o.key, o.body, greatest(extract(epoch FROM o.due_at - clock_timestamp()), 0), o.tries
		FROM ` + r.o.Box.table + ` o
		WHERE o.sent_at IS NULL AND o.retry_at <= clock_timestamp() AND NOT EXISTS (
			SELECT FROM ` + r.o.Box.table + ` before
			WHERE before.queue = o.queue AND before.key = o.key AND before.sent_at IS NULL AND before.seq < o.seq)
		ORDER BY o.seq LIMIT ` + fmt.Sprint(roundSize)
	found, err := tx.Query(ctx, q)
	if err != nil {
		return nil, err
	}

	return pgx.CollectRows(found, func(s pgx.CollectableRow) (*row, error) {
		var x row
		var delay float64
		err := s.Scan(&x.seq, &x.id, &x.queue, &x.key, &x.body, &delay, &x.tries)
		x.delay = time.Duration(math.Ceil(delay)) * time.Second // SQS counts whole seconds; never too early
		return &x, err
	})
}

// mark writes what became of each row.
func (r *Relay) mark(ctx context.Context, tx pgx.Tx, rows []*row) error {
	var sent []Sent
	batch := &pgx.Batch{}

	for _, x := range rows {
		if x.err != nil {
			wait := min(firstRetry<<min(x.tries, 10), lastRetry)
			batch.Queue(`UPDATE `+r.o.Box.table+` SET tries = tries + 1, last_error = $2, retry_at = clock_timestamp() + $3 WHERE seq = $1`,
				x.seq, x.err.Error(), wait)
			continue
		}

		sent = append(sent, Sent{ID: x.id, Queue: x.queue, Key: x.key, MessageID: x.messageID, Delay: x.delay})
		batch.Queue(`UPDATE `+r.o.Box.table+` SET tries = tries + 1, sent_at = clock_timestamp(), message_id = $2, last_error = '' WHERE seq = $1`,
			x.seq, x.messageID)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("mark sent: %w", err)
	}

	if r.o.OnSent != nil && len(sent) > 0 {
		return r.o.OnSent(ctx, tx, sent)
	}
	return nil
}

// prune deletes old sent rows. It needs no lock, because no round reads them.
func (r *Relay) prune(ctx context.Context) error {
	_, err := r.o.Pool.Exec(ctx, `DELETE FROM `+r.o.Box.table+` WHERE sent_at < now() - $1::interval`, r.o.KeepSent)
	return err
}
