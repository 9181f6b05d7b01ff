package outbox

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/jackc/pgx/v5"
)

// Message is one message to be sent.
type Message struct {
	ID    string        // a UUID: the event's id, and the deduplication id on a FIFO queue
	Queue string        // the queue's name; .fifo at its end makes Key the message group
	Key   string        // rows of one key are sent in order; the message group on a FIFO queue
	Delay time.Duration // at most MaxDelay; none on a FIFO queue
	Body  []byte
	// Attributes are sent as SQS message attributes of type String, at most
	// MaxAttributes. They are what a worker may need without reading the body, such
	// as a trace's context.
	Attributes map[string]string
}

// Box is one outbox table. It is a value and may be copied.
type Box struct {
	table string // as SQL, quoted
	lock  int64  // the advisory lock that one relay of this table takes
}

// New returns the Box of a table, such as New("ride", "outbox"). It calls nothing.
func New(schema, table string) Box {
	name := pgx.Identifier{schema, table}.Sanitize()

	// The lock's number comes from the full name, so that every process derives
	// the same one, and relays of other tables do not wait for this one.
	h := fnv.New64a()
	_, _ = h.Write([]byte("outbox " + name)) // it never fails
	return Box{table: name, lock: int64(h.Sum64())}
}

// Add promises m in the caller's transaction. The caller holds a lock on what
// m.Key names. What SQS would refuse is ErrTooLarge or ErrInvalid.
func (b Box) Add(ctx context.Context, tx pgx.Tx, m Message) error {
	if err := m.check(); err != nil {
		return err
	}

	// clock_timestamp(), because now() is when the transaction began: it may have
	// waited for a lock since.
	_, err := tx.Exec(ctx, `INSERT INTO `+b.table+` (id, queue, key, body, attributes, added_at, due_at, retry_at)
		VALUES ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp() + $6, clock_timestamp())`,
		m.ID, m.Queue, m.Key, m.Body, m.Attributes, m.Delay)
	if err != nil {
		return fmt.Errorf("outbox: add %s: %w", m.ID, err)
	}
	return nil
}

// Stats counts what is not sent.
type Stats struct {
	Unsent   int           // rows that wait
	Oldest   time.Duration // for how long the oldest of them has waited
	SetAside int           // rows that SQS refuses for good
}

// Querier is a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Stats counts what is not sent. It reads each row that waits, so do not call it more
// often than somebody looks.
func (b Box) Stats(ctx context.Context, q Querier) (Stats, error) {
	var s Stats
	err := q.QueryRow(ctx, `SELECT waiting.n, aside.n, coalesce(clock_timestamp() - waiting.oldest, '0')
		FROM (SELECT count(*) AS n, min(added_at) AS oldest FROM `+b.table+` WHERE sent_at IS NULL AND set_aside_at IS NULL) AS waiting,
			(SELECT count(*) AS n FROM `+b.table+` WHERE set_aside_at IS NOT NULL) AS aside`).Scan(&s.Unsent, &s.SetAside, &s.Oldest)
	if err != nil {
		return s, fmt.Errorf("outbox: stats: %w", err)
	}
	return s, nil
}
