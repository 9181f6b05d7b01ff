package outbox

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/jackc/pgx/v5"
)

// Message is one message to be sent.
type Message struct {
	ID    string // a UUID: the event's id, and the deduplication id on a FIFO queue
	Queue string // the queue's name; .fifo at its end makes Key the message group
	Key   string // rows of one key are sent in order
	Delay time.Duration
	Body  []byte
}

// MaxBody is the largest message that SQS takes (1 MiB since August 2025).
const MaxBody = 1 << 20

// maxDelay is SQS's longest DelaySeconds.
const maxDelay = 15 * time.Minute

// ErrTooLarge is returned by Add for a body over MaxBody.
var ErrTooLarge = errors.New("outbox: the message is larger than 1 MiB")

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
// m.Key names.
func (b Box) Add(ctx context.Context, tx pgx.Tx, m Message) error {
	// SQS would refuse it for ever, and it would hold back its key.
	if len(m.Body) > MaxBody {
		return fmt.Errorf("%w: %d bytes for %s", ErrTooLarge, len(m.Body), m.Queue)
	}

	// clock_timestamp(), because now() is when the transaction began: it may have
	// waited for a lock since.
	_, err := tx.Exec(ctx, `INSERT INTO `+b.table+` (id, queue, key, body, added_at, due_at, retry_at)
		VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp() + $5, clock_timestamp())`,
		m.ID, m.Queue, m.Key, m.Body, min(max(m.Delay, 0), maxDelay))
	if err != nil {
		return fmt.Errorf("outbox: add %s: %w", m.ID, err)
	}
	return nil
}
