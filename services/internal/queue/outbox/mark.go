package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	firstRetry = 500 * time.Millisecond
	lastRetry  = 30 * time.Second
	// noteWithin bounds the calls of OnSent in one turn, below writeWithin.
	noteWithin = 5 * time.Second
)

// mark writes what became of each row that was tried, and returns how many of them
// are done.
func (r *Relay) mark(ctx context.Context, tx pgx.Tx, tried []*row) (done int, err error) {
	var sent []Sent
	var seqs []int64
	var messageIDs []string
	batch := &pgx.Batch{}

	for _, x := range tried {
		switch {
		case x.err == nil:
			sent = append(sent, Sent{ID: x.id, Queue: x.queue, Key: x.key, MessageID: x.messageID, Delay: x.delay})
			seqs, messageIDs = append(seqs, x.seq), append(messageIDs, x.messageID)
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

	if len(seqs) > 0 {
		batch.Queue(`UPDATE `+r.o.Box.table+` o SET tries = tries + 1, sent_at = clock_timestamp(), message_id = s.message_id, last_error = ''
			FROM unnest($1::bigint[], $2::text[]) AS s(seq, message_id) WHERE o.seq = s.seq`, seqs, messageIDs)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return 0, fmt.Errorf("mark sent: %w", err)
	}

	return done + len(sent), r.note(ctx, tx, sent, time.Now().Add(noteWithin))
}

// retryAfter is for how long a row is not tried again.
func retryAfter(x *row) time.Duration {
	// The queue was at fault, and the relay backs off from it; the row may go as soon as
	// it is back.
	var q *queueError
	if errors.As(x.err, &q) {
		return 0
	}
	return min(firstRetry<<min(x.tries, 10), lastRetry)
}

// note calls OnSent. If that fails, what SQS has acknowledged stays marked: the
// savepoint takes back what OnSent wrote, and nothing else.
func (r *Relay) note(ctx context.Context, tx pgx.Tx, sent []Sent, until time.Time) error {
	if r.o.OnSent == nil || len(sent) == 0 {
		return nil
	}

	// The marks are worth more than the notes: what is not committed is sent again.
	hookErr := errNoTime
	if time.Now().Before(until) {
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
	}

	// One of several may be at fault: each half gets its own try, and in the end each
	// row.
	if half := len(sent) / 2; half > 0 {
		if err := r.note(ctx, tx, sent[:half], until); err != nil {
			return err
		}
		return r.note(ctx, tx, sent[half:], until)
	}

	r.o.Log.Warn("OnSent failed; the message stays sent", "queue", sent[0].Queue, "key", sent[0].Key, "id", sent[0].ID, "err", hookErr)
	return nil
}

var errNoTime = errors.New("it was not called: it had failed for other rows until no time was left")
