package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// ErrNotSetAside is returned for an id that no set-aside row has.
var ErrNotSetAside = errors.New("outbox: no row with that id is set aside")

// SetAsideRow is a row that SQS refuses for good.
type SetAsideRow struct {
	ID, Queue, Key string
	Body           []byte
	Attributes     map[string]string
	Reason         string // what SQS said
	Tries          int
	AddedAt        time.Time
	SetAsideAt     time.Time
}

// setAsideColumns are those of a SetAsideRow, in its order.
const setAsideColumns = `id::text, queue, key, body, attributes, last_error, tries, added_at, set_aside_at`

// SetAside returns the rows that SQS refuses for good, at most limit, those that
// were set aside first before the others.
func (b Box) SetAside(ctx context.Context, q Querier, limit int) ([]SetAsideRow, error) {
	rows, err := q.Query(ctx, `SELECT `+setAsideColumns+` FROM `+b.table+` WHERE set_aside_at IS NOT NULL ORDER BY set_aside_at, seq LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("outbox: set-aside rows: %w", err)
	}

	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[SetAsideRow])
	if err != nil {
		return nil, fmt.Errorf("outbox: set-aside rows: %w", err)
	}
	return out, nil
}

// OneSetAside returns a row that SQS refuses for good. It returns ErrNotSetAside where no
// such row is set aside.
func (b Box) OneSetAside(ctx context.Context, q Querier, id string) (SetAsideRow, error) {
	// Compared as text: an id that is no UUID is an error of Postgres, which would end the
	// caller's transaction. Few rows are set aside, and they have an index.
	rows, err := q.Query(ctx, `SELECT `+setAsideColumns+` FROM `+b.table+` WHERE set_aside_at IS NOT NULL AND id::text = $1`, id)
	if err != nil {
		return SetAsideRow{}, fmt.Errorf("outbox: set-aside row %s: %w", id, err)
	}

	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[SetAsideRow])
	if errors.Is(err, pgx.ErrNoRows) {
		return row, fmt.Errorf("%w: %q", ErrNotSetAside, id)
	}
	if err != nil {
		return row, fmt.Errorf("outbox: set-aside row %s: %w", id, err)
	}
	return row, nil
}

// SendAgain makes a set-aside row one that the relay sends, as soon as tx has
// committed. Later rows of its key may have been sent already. It returns
// ErrNotSetAside where no such row is set aside.
func (b Box) SendAgain(ctx context.Context, tx pgx.Tx, id string) error {
	return b.changeSetAside(ctx, tx, id, `UPDATE `+b.table+` SET set_aside_at = NULL, retry_at = clock_timestamp()`)
}

// Discard deletes a set-aside row: its message will never be sent. What should be
// known of it later, the caller writes in the same transaction. It returns
// ErrNotSetAside where no such row is set aside.
func (b Box) Discard(ctx context.Context, tx pgx.Tx, id string) error {
	return b.changeSetAside(ctx, tx, id, `DELETE FROM `+b.table)
}

// changeSetAside runs a statement on one set-aside row. Of two concurrent callers
// one waits for the other's transaction, and then finds no such row.
func (b Box) changeSetAside(ctx context.Context, tx pgx.Tx, id, statement string) error {
	// Postgres would end the caller's transaction for a text that is no UUID.
	var u pgtype.UUID
	if err := u.Scan(id); err != nil {
		return fmt.Errorf("%w: %q", ErrNotSetAside, id)
	}

	tag, err := tx.Exec(ctx, statement+` WHERE id = $1 AND set_aside_at IS NOT NULL`, u)
	switch {
	case err != nil:
		return fmt.Errorf("outbox: set-aside row %s: %w", id, err)
	case tag.RowsAffected() == 0:
		return fmt.Errorf("%w: %s", ErrNotSetAside, id)
	}
	return nil
}
