package outbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/outbox"
	"tandem/services/internal/queue/sqstest"
)

// setAside has two rows of one key, of which SQS refuses the first for good and
// takes the second.
func newSetAside(t *testing.T) (testBox, *sqstest.SQS, outbox.SetAsideRow) {
	t.Helper()
	b, client := newTestBox(t), newSQS("standard")
	client.On("SendMessageBatch", refusesPoison())
	require.NoError(t, b.tx(t, func(tx pgx.Tx) error {
		m := outbox.Message{ID: uuid.NewString(), Queue: "standard", Key: "r1", Body: []byte("poison"), Attributes: map[string]string{"a": "b"}}
		return b.box.Add(t.Context(), tx, m)
	}))
	b.add(t, "standard", "r1", "next")
	relay := b.relay(client, nil)
	for round(t, relay) > 0 {
	}

	rows, err := b.box.SetAside(t.Context(), b.pool, 10)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	return b, client, rows[0]
}

func (b testBox) tx(t *testing.T, do func(tx pgx.Tx) error) error {
	t.Helper()
	return pgx.BeginFunc(t.Context(), b.pool, do)
}

func TestSetAsideRowsAreListed(t *testing.T) {
	t.Parallel()
	b, _, row := newSetAside(t)
	require.WithinDuration(t, time.Now(), row.SetAsideAt, time.Minute)
	require.False(t, row.SetAsideAt.Before(row.AddedAt))
	require.Contains(t, row.Reason, "InvalidMessageContents")
	require.Equal(t, outbox.SetAsideRow{
		ID: row.ID, Queue: "standard", Key: "r1", Body: []byte("poison"), Attributes: map[string]string{"a": "b"},
		Reason: row.Reason, Tries: 1, AddedAt: row.AddedAt, SetAsideAt: row.SetAsideAt,
	}, row)

	rows, err := b.box.SetAside(t.Context(), b.pool, 0)
	require.NoError(t, err)
	require.Empty(t, rows, "the limit is kept")

	one, err := b.box.OneSetAside(t.Context(), b.pool, row.ID)
	require.NoError(t, err)
	require.Equal(t, row, one)
}

func TestASetAsideRowIsSentAgain(t *testing.T) {
	t.Parallel()
	b, client, row := newSetAside(t)
	require.NoError(t, b.tx(t, func(tx pgx.Tx) error { return b.box.SendAgain(t.Context(), tx, row.ID) }))

	client.On("SendMessageBatch")
	require.Equal(t, 1, round(t, b.relay(client, nil)))
	require.Equal(t, []string{"next", "poison"}, all(client, "standard"))
	require.ErrorIs(t, b.tx(t, func(tx pgx.Tx) error { return b.box.SendAgain(t.Context(), tx, row.ID) }), outbox.ErrNotSetAside, "it is sent")
}

// What the caller writes about it and the row itself go together, or not at all.
func TestASetAsideRowIsDiscardedInTheCallersTransaction(t *testing.T) {
	t.Parallel()
	b, _, row := newSetAside(t)
	discard := func(ctx context.Context, tx pgx.Tx) error { return b.box.Discard(ctx, tx, row.ID) }

	failed := errors.New("the audit was not written")
	require.ErrorIs(t, b.tx(t, func(tx pgx.Tx) error { return errors.Join(discard(t.Context(), tx), failed) }), failed)
	require.NoError(t, b.tx(t, func(tx pgx.Tx) error { return discard(t.Context(), tx) }))
	require.ErrorIs(t, b.tx(t, func(tx pgx.Tx) error { return discard(t.Context(), tx) }), outbox.ErrNotSetAside)
	require.Zero(t, b.unsent(t))
}

// Only a row that is set aside can be sent again or discarded, and an id that is
// none does not end the caller's transaction.
func TestARowThatIsNotSetAsideIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := newTestBox(t)
	b.add(t, "standard", "r1", "waits")
	var waits string
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT id::text FROM `+b.schema+`.outbox`).Scan(&waits))

	require.NoError(t, b.tx(t, func(tx pgx.Tx) error {
		for _, id := range []string{waits, uuid.NewString(), "7", ""} {
			_, err := b.box.OneSetAside(t.Context(), tx, id)
			require.ErrorIs(t, err, outbox.ErrNotSetAside)
			require.ErrorIs(t, b.box.SendAgain(t.Context(), tx, id), outbox.ErrNotSetAside)
			require.ErrorIs(t, b.box.Discard(t.Context(), tx, id), outbox.ErrNotSetAside)
		}
		return nil
	}))
	require.Equal(t, 1, b.unsent(t))
}
