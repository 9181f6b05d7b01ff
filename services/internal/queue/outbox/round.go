package outbox

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	firstRetry = 500 * time.Millisecond
	lastRetry  = 30 * time.Second
	// writeWithin is for what the batch's transaction does beside the send.
	writeWithin = 10 * time.Second
)

// row is one unsent message, and what became of it in this round.
type row struct {
	seq        int64
	id         string
	queue      string
	key        string
	body       []byte
	attributes map[string]string
	delay      time.Duration
	tries      int

	messageID string
	err       error
}

// Round sends one batch to each queue that something may be sent to now. It
// returns how many rows it is done with: sent, or set aside.
func (r *Relay) Round(ctx context.Context) (done int, err error) {
	queues, err := r.queues(ctx)
	if err != nil {
		return 0, fmt.Errorf("outbox: %w", err)
	}

	// One batch to a queue and then the next queue: a slow one, or a long one,
	// does not keep the others waiting until it is empty.
	for _, queue := range queues {
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		if r.resting(queue) {
			continue
		}
		n, err := r.batch(ctx, queue)
		if err != nil {
			return done, fmt.Errorf("outbox: %w", err)
		}
		done += n
	}
	return done, nil
}

// queues returns the queues that have unsent rows.
func (r *Relay) queues(ctx context.Context) ([]string, error) {
	// One step in the index for each queue, however many rows wait in it.
	next := `SELECT min(queue) FROM ` + r.o.Box.table + ` WHERE sent_at IS NULL AND set_aside_at IS NULL`
	rows, err := r.o.Pool.Query(ctx, `WITH RECURSIVE q(queue) AS (
			(`+next+`) UNION ALL SELECT (`+next+` AND queue > q.queue) FROM q WHERE q.queue IS NOT NULL)
		SELECT queue FROM q WHERE queue IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// batch sends and marks one batch, in a transaction of its own: if it spanned
// several, slow answers of SQS could together outlast the session's time-outs, and
// what was acknowledged would be sent again and again.
func (r *Relay) batch(ctx context.Context, queue string) (done int, err error) {
	// A batch that has begun is finished although ctx ends: without the commit, what
	// SQS has acknowledged would be sent again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.o.SendWithin+writeWithin)
	defer cancel()

	//excerpt:send
	err = pgx.BeginFunc(ctx, r.o.Pool, func(tx pgx.Tx) error {
		within, err := r.lock(ctx, tx)
		if err != nil || within == 0 {
			return err
		}
		rows, err := r.choose(ctx, tx, queue)
		if err != nil || len(rows) == 0 {
			return err
		}

		// Sent before the commit: if the commit fails, the rows are sent again.
		// Marked first and sent afterwards, a crash in between would lose them.
		sending, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		r.send(sending, queue, rows)
		done, err = r.mark(ctx, tx, rows)
		return err
	})
	//excerpt:end
	if err != nil {
		return 0, err
	}
	return done, nil
}

// lock takes the table's lock and returns how long the send may take: well below
// the time for which the session lets its transaction sit idle. 0: another relay
// has the lock.
func (r *Relay) lock(ctx context.Context, tx pgx.Tx) (within time.Duration, err error) {
	// Two relays that work concurrently would send each row twice and could break
	// the order of a key. The lock ends with the transaction, so that a frozen process does not
	// keep it; and it is tried, not waited for, so that the other relays keep no
	// transaction open.
	var locked bool
	var limit int64
	err = tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1), coalesce((SELECT min(setting::bigint) FROM pg_settings
		WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout') AND setting <> '0'), 0)`, r.o.Box.lock).Scan(&locked, &limit)
	if err != nil || !locked {
		return 0, err
	}

	within = r.o.SendWithin
	if limit > 0 {
		within = min(within, time.Duration(limit)*time.Millisecond/2)
	}
	return within, nil
}

// choose returns the first unsent row of each of the queue's keys if it is due
// for a try, as many as one call of SQS takes. One row of a key at a time keeps
// the key's order: SQS may refuse one entry of a batch and take the next.
func (r *Relay) choose(ctx context.Context, tx pgx.Tx, queue string) ([]*row, error) {
	q := `SELECT o.seq, o.id, o.queue, o.key, o.body, o.attributes, greatest(extract(epoch FROM o.due_at - clock_timestamp()), 0), o.tries
		FROM ` + r.o.Box.table + ` o
		WHERE o.queue = $1 AND o.sent_at IS NULL AND o.set_aside_at IS NULL AND o.retry_at <= clock_timestamp() AND NOT EXISTS (
			SELECT FROM ` + r.o.Box.table + ` before
			WHERE before.queue = o.queue AND before.key = o.key AND before.sent_at IS NULL AND before.set_aside_at IS NULL AND before.seq < o.seq)
		ORDER BY o.seq LIMIT $2`
	found, err := tx.Query(ctx, q, queue, r.batchSize(queue))
	if err != nil {
		return nil, err
	}

	rows, err := pgx.CollectRows(found, func(s pgx.CollectableRow) (*row, error) {
		var x row
		var delay float64
		err := s.Scan(&x.seq, &x.id, &x.queue, &x.key, &x.body, &x.attributes, &delay, &x.tries)
		x.delay = time.Duration(math.Ceil(delay)) * time.Second // SQS counts whole seconds; never too early
		return &x, err
	})
	return rows[:batchLength(rows)], err
}

// mark writes what became of each row, and returns how many of them are done.
func (r *Relay) mark(ctx context.Context, tx pgx.Tx, rows []*row) (done int, err error) {
	var sent []Sent
	batch := &pgx.Batch{}

	for _, x := range rows {
		switch {
		case x.err == nil:
			sent = append(sent, Sent{ID: x.id, Queue: x.queue, Key: x.key, MessageID: x.messageID, Delay: x.delay})
			batch.Queue(`UPDATE `+r.o.Box.table+` SET tries = tries + 1, sent_at = clock_timestamp(), message_id = $2, last_error = '' WHERE seq = $1`,
				x.seq, x.messageID)
		case errors.Is(x.err, errRefused):
			done++
			r.o.Log.Error("SQS refuses a message for good; it is set aside", "queue", x.queue, "key", x.key, "id", x.id, "err", x.err)
			batch.Queue(`UPDATE `+r.o.Box.table+` SET tries = tries + 1, last_error = $2, set_aside_at = clock_timestamp() WHERE seq = $1`,
				x.seq, x.err.Error())
		default:
			batch.Queue(`UPDATE `+r.o.Box.table+` SET tries = tries + 1, last_error = $2, retry_at = clock_timestamp() + $3 WHERE seq = $1`,
				x.seq, x.err.Error(), retryAfter(x))
		}
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return 0, fmt.Errorf("mark sent: %w", err)
	}

	return done + len(sent), r.note(ctx, tx, sent)
}

// retryAfter is for how long a row is not tried again.
func retryAfter(x *row) time.Duration {
	// The queue was at fault, and rests; the row may go as soon as it is back.
	var q *queueError
	if errors.As(x.err, &q) {
		return 0
	}
	return min(firstRetry<<min(x.tries, 10), lastRetry)
}

// note calls OnSent. If that fails, what SQS has acknowledged stays marked: the
// savepoint takes back what OnSent wrote, and nothing else.
func (r *Relay) note(ctx context.Context, tx pgx.Tx, sent []Sent) error {
	if r.o.OnSent == nil || len(sent) == 0 {
		return nil
	}

	var hookErr error
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		// What OnSent wants to lock may stay locked for long, and meanwhile no other
		// row is sent.
		if _, hookErr = tx.Exec(ctx, `SET LOCAL lock_timeout = '500ms'`); hookErr == nil {
			hookErr = r.o.OnSent(ctx, tx, sent)
		}
		return hookErr
	})
	if hookErr == nil || tx.Conn().IsClosed() {
		return err // without the connection nothing can be committed
	}

	// One of several may be at fault: each gets its own try.
	if len(sent) > 1 {
		for _, s := range sent {
			if err := r.note(ctx, tx, []Sent{s}); err != nil {
				return err
			}
		}
		return nil
	}
	r.o.Log.Warn("OnSent failed; the message stays sent", "queue", sent[0].Queue, "key", sent[0].Key, "id", sent[0].ID, "err", hookErr)
	return nil
}

// prune deletes old sent rows. It needs no lock, because no round reads them.
func (r *Relay) prune(ctx context.Context) error {
	_, err := r.o.Pool.Exec(ctx, `DELETE FROM `+r.o.Box.table+` WHERE sent_at < now() - $1::interval`, r.o.KeepSent)
	return err
}
