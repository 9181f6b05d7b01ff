package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/outbox"
	"tandem/services/internal/queue/sqstest"
)

// impatient has the sessions of production, shrunk: each may sit idle in a
// transaction for as long as a few batches take, and not ten.
func impatient(t *testing.T, b testBox, tracer pgx.QueryTracer) testBox {
	t.Helper()
	cfg := b.pool.Config()
	cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "400ms"
	cfg.ConnConfig.Tracer = tracer
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	b.pool = pool
	return b
}

func (b testBox) addMany(t *testing.T, queue string, n int) {
	t.Helper()
	for i := range n {
		b.add(t, queue, fmt.Sprint("r", i), "request")
	}
}

// drain runs the relay until nothing is unsent, and wants no more sends than
// rows and a tenth.
func (b testBox) drain(t *testing.T, relay *outbox.Relay, client *sqstest.SQS, rows int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- relay.Run(ctx) }()
	require.Eventually(t, func() bool { return b.unsent(t) == 0 || acknowledged(client) > 3*rows }, time.Minute, 20*time.Millisecond)
	stop()
	require.NoError(t, <-ended)
	require.Zero(t, b.unsent(t), "%d were sent", acknowledged(client))
	require.LessOrEqual(t, float64(acknowledged(client))/float64(rows), 1.1)
}

func TestASlowQueueIsSentEachRowOnce(t *testing.T) {
	t.Parallel()
	b, client := impatient(t, newTestBox(t), nil), newSQS("standard")
	b.addMany(t, "standard", 1000)
	client.On("SendMessageBatch", sqstest.Slow(60*time.Millisecond))
	b.drain(t, b.relay(client, nil), client, 1000)
}

// What a turn has sent is marked soon, however much waits and however slow SQS is.
func TestATurnOfASlowQueueIsShort(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	b.addMany(t, "standard", 300)
	client.On("SendMessageBatch", sqstest.Slow(600*time.Millisecond))
	require.Positive(t, round(t, b.relay(client, nil)))
	require.LessOrEqual(t, len(client.Calls("SendMessageBatch")), 8, "no second call follows the first ones")
}

// slowStatements makes each statement of the pool slow.
type slowStatements struct{ takes time.Duration }

func (s slowStatements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	time.Sleep(s.takes)
	return ctx
}
func (s slowStatements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestASlowDatabaseIsSentEachRowOnce(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	b.addMany(t, "standard", 100)
	slow := impatient(t, b, slowStatements{40 * time.Millisecond})
	b.drain(t, slow.relay(client, nil), client, 100)
}

func TestATurnThatIsUnderWayIsFinished(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard", "until-later")
	b.addMany(t, "standard", 30)
	b.addMany(t, "until-later", 1)
	ctx, term := context.WithCancel(t.Context())
	client.On("SendMessageBatch", sqstest.Then(term))
	require.NoError(t, b.relay(client, nil).Run(ctx))
	require.Equal(t, 30, acknowledged(client))
	require.Equal(t, 1, b.unsent(t), "no other turn begins")
}

func TestWhatWasAcknowledgedIsMarkedAlthoughTheHookFails(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	b.addMany(t, "standard", 10)
	var noted []string
	relay := b.relay(client, func(ctx context.Context, tx pgx.Tx, sent []outbox.Sent) error {
		for _, s := range sent {
			if s.Key == "r3" {
				return errors.New("no")
			}
		}
		for _, s := range sent {
			noted = append(noted, s.Key)
		}
		return nil
	})
	require.Equal(t, 10, round(t, relay))
	require.Zero(t, b.unsent(t))
	require.ElementsMatch(t, []string{"r0", "r1", "r2", "r4", "r5", "r6", "r7", "r8", "r9"}, noted, "each of the others was noted, once")
}

// Somebody's psql holds the row that the hook of one message must lock.
func TestAHeldRowStopsNoOther(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	b.addMany(t, "standard", 30)
	_, err := b.pool.Exec(t.Context(), `CREATE TABLE `+b.schema+`.thing (key text PRIMARY KEY, noted int DEFAULT 0);
		INSERT INTO `+b.schema+`.thing SELECT DISTINCT key FROM `+b.schema+`.outbox`)
	require.NoError(t, err)
	person, err := b.pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = person.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = person.Exec(t.Context(), `SELECT FROM `+b.schema+`.thing WHERE key = 'r3' FOR UPDATE`)
	require.NoError(t, err)

	b.drain(t, b.relay(client, func(ctx context.Context, tx pgx.Tx, sent []outbox.Sent) error {
		for _, s := range sent {
			if _, err := tx.Exec(ctx, `UPDATE `+b.schema+`.thing SET noted = noted + 1 WHERE key = $1`, s.Key); err != nil {
				return err
			}
		}
		return nil
	}), client, 30)
	var noted int
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT count(*) FROM `+b.schema+`.thing WHERE noted = 1`).Scan(&noted))
	require.Equal(t, 29, noted)
}
