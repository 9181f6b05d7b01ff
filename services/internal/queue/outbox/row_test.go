package outbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/outbox"
	"tandem/services/internal/queue/sqstest"
)

// SQS counts whole seconds: a delay is rounded up.
func TestAMessageIsNeverVisibleTooEarly(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	require.NoError(t, pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		return b.box.Add(t.Context(), tx, outbox.Message{ID: uuid.NewString(), Queue: "standard", Key: "r1", Delay: 10*time.Minute + 950*time.Millisecond, Body: []byte("later")})
	}))
	var due time.Time
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT due_at FROM `+b.schema+`.outbox`).Scan(&due))

	round(t, b.relay(client, nil))
	later := client.Queue("standard", sqstest.Settings{}).Messages()
	require.Len(t, later, 1)
	visible := later[0].HiddenUntil
	require.False(t, visible.Before(due), "visible %s early", due.Sub(visible))
}

// A transaction that has waited, for a lock perhaps, counts the delay from the
// promise, and not from its own beginning.
func TestADelayCountsFromThePromise(t *testing.T) {
	t.Parallel()
	b := newTestBox(t)
	require.NoError(t, pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SELECT pg_sleep(0.2)`); err != nil {
			return err
		}
		if err := b.box.Add(t.Context(), tx, outbox.Message{ID: uuid.NewString(), Queue: "standard", Key: "r1", Delay: time.Minute, Body: []byte("x")}); err != nil {
			return err
		}

		var late bool
		err := tx.QueryRow(t.Context(), `SELECT least(added_at, retry_at, due_at - interval '1 minute') >= now() + interval '0.2 s' FROM `+b.schema+`.outbox`).Scan(&late)
		require.True(t, late)
		return err
	}))
}

// SQS limits the bytes of one call as those of one message.
func TestACallHasAMegabyteAtMost(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	large := strings.Repeat("x", outbox.MaxSize/2+1)
	b.add(t, "standard", "r1", large)
	b.add(t, "standard", "r2", large)

	require.Equal(t, 2, round(t, b.relay(client, nil)))
	require.Len(t, client.Calls("SendMessageBatch"), 2)
}

// A queue that cannot be sent to rests as a whole: its rows go as soon as it is back,
// however often each of them was tried.
func TestAQueuesFaultDelaysNoRow(t *testing.T) {
	t.Parallel()
	b := newTestBox(t)
	b.add(t, "missing", "r1", "x")
	_, err := b.pool.Exec(t.Context(), `UPDATE `+b.schema+`.outbox SET tries = 6`) // a row's own fault would have it wait for half a minute
	require.NoError(t, err)
	round(t, b.relay(newSQS(), nil))

	var tries int
	var due bool
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT tries, retry_at <= clock_timestamp() FROM `+b.schema+`.outbox`).Scan(&tries, &due))
	require.Equal(t, 7, tries)
	require.True(t, due)
}

// Only what was sent long ago is deleted.
func TestPruneKeepsWhatIsNotDone(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	b.add(t, "standard", "old", "x")
	relay := b.relay(client, nil)
	require.Equal(t, 1, round(t, relay))
	_, err := b.pool.Exec(t.Context(), `UPDATE `+b.schema+`.outbox SET sent_at = sent_at - interval '61 minutes'`)
	require.NoError(t, err)
	b.add(t, "standard", "new", "x")
	require.Equal(t, 1, round(t, relay))
	b.add(t, "standard", "unsent", "x")
	b.add(t, "standard", "aside", "x")
	_, err = b.pool.Exec(t.Context(), `UPDATE `+b.schema+`.outbox SET set_aside_at = now() - interval '1 day' WHERE key = 'aside'`)
	require.NoError(t, err)

	n, err := relay.Prune(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	rows, err := b.pool.Query(t.Context(), `SELECT key FROM `+b.schema+`.outbox ORDER BY seq`)
	require.NoError(t, err)
	kept, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{"new", "unsent", "aside"}, kept)
}
