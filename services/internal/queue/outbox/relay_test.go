package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/outbox"
)

// createOutbox creates a schema with the outbox table in it, as psql would with
// the file of migrations. drop drops it.
func createOutbox(pool *pgxpool.Pool, schema string) (drop func()) {
	ctx := context.Background()
	exec := func(sql string) {
		if _, err := pool.Exec(ctx, sql); err != nil {
			panic(err)
		}
	}

	ddl, err := fs.ReadFile(outbox.Migrations(), "00001_outbox.sql")
	if err != nil {
		panic(err)
	}
	exec(fmt.Sprintf("CREATE SCHEMA %[1]s; BEGIN; SET LOCAL search_path = %[1]s; %[2]s; COMMIT", schema, ddl))
	return func() { exec("DROP SCHEMA " + schema + " CASCADE") }
}

// testBox is an outbox in a schema of its own.
type testBox struct {
	pool   *pgxpool.Pool
	schema string
	box    outbox.Box
}

var schemas atomic.Int64

func newTestBox(t *testing.T) testBox {
	t.Helper()
	pool, closePool := newDatabase()
	t.Cleanup(closePool)
	schema := fmt.Sprintf("outbox_test_%d", schemas.Add(1))
	t.Cleanup(createOutbox(pool, schema))
	return testBox{pool, schema, outbox.New(schema, "outbox")}
}

func (b testBox) relay(client outbox.Client, onSent func(context.Context, pgx.Tx, []outbox.Sent) error) *outbox.Relay {
	return outbox.NewRelay(outbox.Options{Pool: b.pool, Client: client, Box: b.box, OnSent: onSent})
}

// add promises messages of one key, in order.
func (b testBox) add(t *testing.T, queue, key string, bodies ...string) {
	t.Helper()
	require.NoError(t, pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		for _, body := range bodies {
			if err := b.box.Add(t.Context(), tx, outbox.Message{ID: uuid.NewString(), Queue: queue, Key: key, Body: []byte(body)}); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (b testBox) unsent(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT count(*) FROM `+b.schema+`.outbox WHERE sent_at IS NULL`).Scan(&n))
	return n
}

// retryNow makes every row due for its next try.
func (b testBox) retryNow(t *testing.T) {
	t.Helper()
	_, err := b.pool.Exec(t.Context(), `UPDATE `+b.schema+`.outbox SET retry_at = now()`)
	require.NoError(t, err)
}

func round(t *testing.T, r *outbox.Relay) int {
	t.Helper()
	n, err := r.Round(t.Context())
	require.NoError(t, err)
	return n
}

func TestACrashBetweenSendAndCommitSendsAgain(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newFakeSQS("standard", "queue.fifo")
	b.add(t, "standard", "r1", "request")
	b.add(t, "queue.fifo", "r1", "notice")

	crash := errors.New("killed")
	dying := b.relay(client, func(context.Context, pgx.Tx, []outbox.Sent) error { return crash })
	_, err := dying.Round(t.Context())
	require.ErrorIs(t, err, crash)
	require.Equal(t, 2, b.unsent(t), "what was not committed was not sent, as far as anybody knows")

	var sent []outbox.Sent
	next := b.relay(client, func(_ context.Context, _ pgx.Tx, s []outbox.Sent) error {
		sent = append(sent, s...)
		return nil
	})
	require.Equal(t, 2, round(t, next))
	require.Len(t, sent, 2)
	require.Zero(t, b.unsent(t))
	require.Equal(t, []string{"request", "request"}, client.all("standard"), "at least once")
	require.Equal(t, []string{"notice"}, client.all("queue.fifo"), "the FIFO queue has seen the id")
}

func TestRowsOfOneKeyAreSentOneAfterTheOther(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newFakeSQS("queue.fifo")
	b.add(t, "queue.fifo", "r1", "1", "2", "3")
	b.add(t, "queue.fifo", "r2", "a")

	relay := b.relay(client, nil)
	require.Equal(t, []int{2, 1, 1, 0}, []int{round(t, relay), round(t, relay), round(t, relay), round(t, relay)})
	require.Equal(t, []string{"1", "a", "2", "3"}, client.all("queue.fifo"))
}

func TestAnEntryThatIsRefusedHoldsBackItsOwnKeyAlone(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newFakeSQS("queue.fifo")
	b.add(t, "queue.fifo", "r1", "bad", "after")
	b.add(t, "queue.fifo", "r2", "good")
	relay := b.relay(client, nil)

	client.setRefuse(func(body string) bool { return strings.HasPrefix(body, "bad") })
	require.Equal(t, 2, round(t, relay))
	require.Equal(t, []string{"good"}, client.all("queue.fifo"))
	var why string
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT last_error FROM `+b.schema+`.outbox WHERE tries = 1 AND sent_at IS NULL`).Scan(&why))
	require.Equal(t, "InternalError: not now", why)

	client.setRefuse(nil)
	require.Zero(t, round(t, relay), "not before its time")
	b.retryNow(t)
	require.Equal(t, []int{1, 1}, []int{round(t, relay), round(t, relay)})
	require.Equal(t, []string{"bad", "after"}, client.all("queue.fifo"))
}

func TestAQueueThatDoesNotExistHoldsBackNoOther(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newFakeSQS("standard")
	b.add(t, "not-yet", "r1", "early")
	b.add(t, "standard", "r1", "request")
	relay := b.relay(client, nil)

	require.Equal(t, 2, round(t, relay))
	require.ErrorContains(t, relay.Ready(t.Context()), "not-yet")
	require.Equal(t, []string{"request"}, client.all("standard"))

	client.create("not-yet")
	b.retryNow(t)
	require.Equal(t, 1, round(t, relay))
	require.NoError(t, relay.Ready(t.Context()))
	require.Equal(t, []string{"early"}, client.all("not-yet"))
}

// The first relay is frozen in its transaction, after it has sent.
func TestOneRelayOfATableWorksAtATime(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newFakeSQS("standard")
	other := testBox{b.pool, b.schema + "_other", outbox.New(b.schema+"_other", "outbox")}
	t.Cleanup(createOutbox(other.pool, other.schema))
	b.add(t, "standard", "r1", "request")
	other.add(t, "standard", "r1", "another table's")

	frozen, wake, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	first := b.relay(client, func(context.Context, pgx.Tx, []outbox.Sent) error {
		close(frozen)
		<-wake
		return errors.New("its session was ended")
	})
	go func() {
		_, err := first.Round(t.Context())
		ended <- err
	}()
	<-frozen

	second := b.relay(client, nil)
	require.Zero(t, round(t, second))
	require.Equal(t, 1, round(t, other.relay(client, nil)), "each table has a lock of its own")

	close(wake)
	require.Error(t, <-ended)
	require.Equal(t, 1, round(t, second))
	require.Equal(t, []string{"request", "another table's", "request"}, client.all("standard"))
}

func TestAddRefusesWhatSQSWould(t *testing.T) {
	t.Parallel()
	b := newTestBox(t)
	err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		return b.box.Add(t.Context(), tx, outbox.Message{ID: uuid.NewString(), Queue: "q", Key: "k", Body: make([]byte, outbox.MaxBody+1)})
	})
	require.ErrorIs(t, err, outbox.ErrTooLarge)
}

func TestRunSendsOnAWakeAndEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newFakeSQS("standard")
	wake := make(chan struct{}, 1)
	relay := outbox.NewRelay(outbox.Options{Pool: b.pool, Client: client, Box: b.box, Wake: wake, PollEvery: time.Hour})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- relay.Run(ctx) }()

	b.add(t, "standard", "r1", "request")
	wake <- struct{}{}
	require.Equal(t, "request", client.receive("standard"))
	stop()
	require.NoError(t, <-ended)
}
