package outbox_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/outbox"
	"tandem/services/internal/queue/sqstest"
)

// A send ends before the session is ended for being idle: what became of it must
// still be written.
func TestASendEndsBeforeItsSession(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	client.On("SendMessageBatch", sqstest.Hang())
	b.add(t, "standard", "r1", "a")
	round(t, impatient(t, b, nil).relay(client, nil))

	var tries int
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT tries FROM `+b.schema+`.outbox`).Scan(&tries))
	require.Equal(t, 1, tries)
}

// What SQS will never take is tried once; its reason is kept, and the key goes on.
func TestARowThatIsRefusedForGoodIsSetAside(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	client.On("SendMessageBatch", refusesPoison())
	b.add(t, "standard", "r1", "poison", "next")
	relay := b.relay(client, nil)

	require.Equal(t, 1, round(t, relay))
	require.Equal(t, 1, round(t, relay))
	require.Zero(t, round(t, relay))
	require.Equal(t, []string{"next"}, all(client, "standard"))
	var why string
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT last_error FROM `+b.schema+`.outbox WHERE set_aside_at IS NOT NULL AND sent_at IS NULL`).Scan(&why))
	require.Contains(t, why, "InvalidMessageContents")
}

// The answer is a success and names one of two entries.
func TestAnUnansweredEntryIsSentAgain(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	client.On("SendMessageBatch", sqstest.SkipEntries(false, sqstest.Body("b")))
	b.add(t, "standard", "r1", "a")
	b.add(t, "standard", "r2", "b")
	relay := b.relay(client, nil)

	round(t, relay)
	require.Equal(t, 1, b.unsent(t))
	require.Equal(t, []string{"a"}, all(client, "standard"))

	client.On("SendMessageBatch")
	b.retryNow(t)
	round(t, relay)
	require.Zero(t, b.unsent(t))
	require.Equal(t, []string{"b"}, all(client, "standard"))
}

// A standard queue is told what is left of the delay, in whole seconds and never
// too few.
func TestTheDelayIsSent(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	require.NoError(t, pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		return b.box.Add(t.Context(), tx, outbox.Message{ID: uuid.NewString(), Queue: "standard", Key: "r1", Delay: 10 * time.Minute, Body: []byte("later")})
	}))

	round(t, b.relay(client, nil))
	later := client.Queue("standard", sqstest.Settings{}).Messages()
	require.Len(t, later, 1)
	require.InDelta(t, 600, time.Until(later[0].HiddenUntil).Seconds(), 30)
	require.Equal(t, "later", later[0].Body)
}

// A relay whose process lives on, and holds its connections, keeps no other from
// working once its round has ended.
func TestTheLockEndsWithTheTransaction(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	other, err := pgxpool.NewWithConfig(t.Context(), b.pool.Config())
	require.NoError(t, err)
	t.Cleanup(other.Close)

	b.add(t, "standard", "r1", "first")
	round(t, b.relay(client, nil))
	require.Zero(t, b.unsent(t))

	b.add(t, "standard", "r1", "second")
	second := testBox{other, b.schema, b.box}
	round(t, second.relay(client, nil))
	require.Zero(t, b.unsent(t))
}
