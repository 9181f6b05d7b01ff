package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// writeWithin is for what a turn's transaction does beside the send.
const writeWithin = 10 * time.Second

// row is one unsent message, and what became of it in this turn.
type row struct {
	seq        int64
	id         string
	queue      string
	key        string
	body       []byte
	attributes map[string]string
	delay      time.Duration
	tries      int

	tried     bool // a call with it has begun
	messageID string
	err       error
}

// Round takes one turn at each queue that something may be sent to now. It
// returns how many rows it is done with: sent, or set aside.
func (r *Relay) Round(ctx context.Context) (done int, err error) {
	queues, err := r.queues(ctx)
	if err != nil {
		return 0, fmt.Errorf("outbox: %w", err)
	}

	// One turn at a queue and then the next queue: a slow one, or a long one, does
	// not keep the others waiting until it is empty.
	for _, queue := range queues {
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		if r.backingOff(queue) {
			continue
		}
		n, err := r.turn(ctx, queue)
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

// turn sends rows of one queue and marks them, in a transaction of its own: if it
// spanned several queues, slow answers of SQS could together outlast the session's
// time-outs, and what was acknowledged would be sent again and again.
func (r *Relay) turn(ctx context.Context, queue string) (done int, err error) {
	// A turn that has begun is finished although ctx ends: without the commit, what
	// SQS has acknowledged would be sent again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.o.SendWithin+writeWithin)
	defer cancel()

	//excerpt:send
	err = pgx.BeginFunc(ctx, r.o.Pool, func(tx pgx.Tx) error {
		within, err := r.lock(ctx, tx)
		if err != nil || within == 0 {
			return err
		}
		keys, err := r.choose(ctx, tx, queue)
		if err != nil || len(keys) == 0 {
			return err
		}

		// Sent before the commit: if the commit fails, the rows are sent again.
		// Marked first and sent afterwards, a crash in between would lose them.
		tried := r.send(ctx, queue, keys, within)
		done, err = r.mark(ctx, tx, tried)
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
	// the order of a key. The lock ends with the transaction, so that a frozen process
	// does not keep it; and it is tried, not waited for, so that the other relays keep
	// no transaction open.
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
