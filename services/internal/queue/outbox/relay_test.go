package outbox_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/outbox"
	"tandem/services/internal/queue/sqstest"
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

	exec("CREATE SCHEMA " + schema)
	for _, name := range []string{"00001_outbox.sql", "00002_set_aside.sql", "00003_attributes.sql", "00004_waiting.sql"} {
		ddl, err := fs.ReadFile(outbox.Migrations(), name)
		if err != nil {
			panic(err)
		}
		exec(fmt.Sprintf("BEGIN; SET LOCAL search_path = %s; %s; COMMIT", schema, ddl))
	}
	return func() { exec("DROP SCHEMA " + schema + " CASCADE") }
}

// newSQS returns an SQS that has these queues.
func newSQS(queues ...string) *sqstest.SQS {
	f := sqstest.New()
	for _, q := range queues {
		f.Queue(q, sqstest.Settings{})
	}
	return f
}

// all removes what lies on a queue, and returns the bodies in the order in which they were sent.
func all(f *sqstest.SQS, queue string) []string { return f.Queue(queue, sqstest.Settings{}).Purge() }

// acknowledged is how many entries SQS has acknowledged, however often each was sent.
func acknowledged(f *sqstest.SQS) (n int) {
	for _, c := range f.Calls("SendMessageBatch") {
		if out, ok := c.Output.(*sqs.SendMessageBatchOutput); ok {
			n += len(out.Successful)
		}
	}
	return n
}

// refusesPoison refuses what SQS will never take.
func refusesPoison() sqstest.Fault {
	return sqstest.RefuseEntries("InvalidMessageContents", true, sqstest.Body("poison"))
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
	return newRelay(outbox.Options{Pool: b.pool, Client: client, Box: b.box, OnSent: onSent})
}

// newRelay is for options that are right.
func newRelay(o outbox.Options) *outbox.Relay {
	r, err := outbox.NewRelay(o)
	if err != nil {
		panic(err)
	}
	return r
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
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	n, err := r.Round(ctx)
	require.NoError(t, err)
	return n
}

// killRelay ends the session of the relay that holds b's lock, as a crash of its
// process would.
func (b testBox) killRelay() {
	// Of this table's lock alone, since other tests run beside this one; and waited
	// for, since the session still has the lock until it has ended.
	_, err := b.pool.Exec(context.Background(), `SELECT pg_terminate_backend(pid, 10000) FROM pg_locks
		WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND (classid::bigint << 32) | objid::bigint = $1`, b.box.Lock())
	if err != nil {
		panic(err)
	}
}

func TestACrashBetweenSendAndCommitSendsAgain(t *testing.T) {
	for queue, lies := range map[string][]string{
		"standard":   {"request", "request"}, // at least once
		"queue.fifo": {"request"},            // it has seen the id
	} {
		t.Run(queue, func(t *testing.T) {
			t.Parallel()
			b, client := newTestBox(t), newSQS(queue)
			b.add(t, queue, "r1", "request")

			client.On("SendMessageBatch", sqstest.Then(b.killRelay))
			_, err := b.relay(client, nil).Round(t.Context())
			require.Error(t, err)
			require.Equal(t, 1, b.unsent(t), "what was not committed was not sent, as far as anybody knows")

			client.On("SendMessageBatch")
			require.Equal(t, 1, round(t, b.relay(client, nil)))
			require.Zero(t, b.unsent(t))
			require.Equal(t, lies, all(client, queue))
		})
	}
}

func TestRowsOfOneKeyAreSentOneAfterTheOther(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("queue.fifo")
	b.add(t, "queue.fifo", "r1", "1", "2", "3")
	b.add(t, "queue.fifo", "r2", "a")

	relay := b.relay(client, nil)
	require.Equal(t, []int{4, 0}, []int{round(t, relay), round(t, relay)})
	require.Equal(t, []string{"1", "a", "2", "3"}, all(client, "queue.fifo"))
	require.Len(t, client.Calls("SendMessageBatch"), 3, "no call has two rows of a key")
}

func TestAnEntryThatIsRefusedHoldsBackItsOwnKeyAlone(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("queue.fifo")
	b.add(t, "queue.fifo", "r1", "bad", "after")
	b.add(t, "queue.fifo", "r2", "good")
	relay := b.relay(client, nil)

	client.On("SendMessageBatch", sqstest.RefuseEntries("InternalError", false, sqstest.Body("bad")))
	require.Equal(t, 1, round(t, relay))
	require.Equal(t, []string{"good"}, all(client, "queue.fifo"))
	var why string
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT last_error FROM `+b.schema+`.outbox WHERE tries = 1 AND sent_at IS NULL`).Scan(&why))
	require.Equal(t, "InternalError: refused by the test", why)

	client.On("SendMessageBatch")
	require.Zero(t, round(t, relay), "not before its time")
	b.retryNow(t)
	require.Equal(t, 2, round(t, relay))
	require.Equal(t, []string{"bad", "after"}, all(client, "queue.fifo"))
}

func TestAQueueThatDoesNotExistHoldsBackNoOther(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	b.add(t, "not-yet", "r1", "early")
	b.add(t, "standard", "r1", "request")
	relay := b.relay(client, nil)

	require.Equal(t, 1, round(t, relay))
	require.ErrorContains(t, relay.Ready(t.Context()), "not-yet")
	require.Equal(t, []string{"request"}, all(client, "standard"))

	client.Queue("not-yet", sqstest.Settings{})
	require.Zero(t, round(t, relay), "the queue rests")
	require.Eventually(t, func() bool { return round(t, relay) == 1 }, 10*time.Second, 20*time.Millisecond)
	require.NoError(t, relay.Ready(t.Context()))
	require.Equal(t, []string{"early"}, all(client, "not-yet"))
}

// The first relay is frozen in its transaction, after it has sent.
func TestOneRelayOfATableWorksAtATime(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	other := testBox{b.pool, b.schema + "_other", outbox.New(b.schema+"_other", "outbox")}
	t.Cleanup(createOutbox(other.pool, other.schema))
	b.add(t, "standard", "r1", "request")
	other.add(t, "standard", "r1", "another table's")

	frozen, wake, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	client.On("SendMessageBatch", sqstest.Then(func() {
		close(frozen)
		<-wake
	}).Times(1))
	go func() {
		_, err := b.relay(client, nil).Round(t.Context())
		ended <- err
	}()
	<-frozen

	second := b.relay(client, nil)
	require.Zero(t, round(t, second))
	require.Equal(t, 1, round(t, other.relay(client, nil)), "each table has a lock of its own")

	b.killRelay() // as idle_in_transaction_session_timeout does
	close(wake)
	require.Error(t, <-ended)
	require.Equal(t, 1, round(t, second))
	require.Equal(t, []string{"request", "another table's", "request"}, all(client, "standard"))
}

func TestAddRefusesWhatSQSWould(t *testing.T) {
	t.Parallel()
	b := newTestBox(t)
	ok := outbox.Message{ID: uuid.NewString(), Queue: "q.fifo", Key: "k", Body: []byte("tab\t, line\r\n, ž, 🚕")}
	add := func(m outbox.Message) error {
		return pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error { return b.box.Add(t.Context(), tx, m) })
	}
	require.NoError(t, add(ok))
	require.NoError(t, add(outbox.Message{ID: uuid.NewString(), Queue: "q", Body: []byte("x"), Delay: outbox.MaxDelay, Attributes: manyAttributes(10)}), "a standard queue needs no key")

	for name, change := range map[string]func(m *outbox.Message){
		"no body":                func(m *outbox.Message) { m.Body = nil },
		"U+0001":                 func(m *outbox.Message) { m.Body = []byte("a\x01") },
		"U+FFFF":                 func(m *outbox.Message) { m.Body = []byte("\uffff") },
		"not UTF-8":              func(m *outbox.Message) { m.Body = []byte("a\xff") },
		"no group":               func(m *outbox.Message) { m.Key = "" },
		"a space in it":          func(m *outbox.Message) { m.Key = "a b" },
		"129 characters":         func(m *outbox.Message) { m.Key = strings.Repeat("k", 129) },
		"no queue":               func(m *outbox.Message) { m.Queue = "" },
		"a URL":                  func(m *outbox.Message) { m.Queue = "https://q.fifo" },
		"a delay on FIFO":        func(m *outbox.Message) { m.Delay = time.Second },
		"a delay too long":       func(m *outbox.Message) { m.Queue, m.Delay = "q", outbox.MaxDelay+1 },
		"an empty attribute":     func(m *outbox.Message) { m.Attributes = map[string]string{"a": ""} },
		"U+0001 in an attribute": func(m *outbox.Message) { m.Attributes = map[string]string{"a": "\x01"} },
		"no attribute's name":    func(m *outbox.Message) { m.Attributes = map[string]string{"": "x"} },
		"a space in a name":      func(m *outbox.Message) { m.Attributes = map[string]string{"a b": "x"} },
		"a period at the end":    func(m *outbox.Message) { m.Attributes = map[string]string{"a.": "x"} },
		"two periods":            func(m *outbox.Message) { m.Attributes = map[string]string{"a..b": "x"} },
		"AWS's own":              func(m *outbox.Message) { m.Attributes = map[string]string{"aWS.trace": "x"} },
		"257 characters":         func(m *outbox.Message) { m.Attributes = map[string]string{strings.Repeat("a", 257): "x"} },
		"11 attributes":          func(m *outbox.Message) { m.Attributes = manyAttributes(11) },
		"a delay before it":      func(m *outbox.Message) { m.Queue, m.Delay = "q", -1 },
	} {
		m := ok
		m.ID = uuid.NewString()
		change(&m)
		require.ErrorIs(t, add(m), outbox.ErrInvalid, name)
	}
	ok.Body = make([]byte, outbox.MaxSize+1)
	require.ErrorIs(t, add(ok), outbox.ErrTooLarge)
	ok.Body, ok.Attributes = bytes.Repeat([]byte("x"), outbox.MaxSize-8), map[string]string{"ab": "c"} // and 6 of String
	require.ErrorIs(t, add(ok), outbox.ErrTooLarge)
	require.Equal(t, 2, b.unsent(t))
}

func manyAttributes(n int) map[string]string {
	m := map[string]string{strings.Repeat("a", 256): "x"}
	for i := range n - 1 {
		m[fmt.Sprintf("a-%d.b_c", i)] = "ž"
	}
	return m
}

// SQS refuses the whole call for what one row holds, and does not say which.
func TestAMessageThatIsRefusedForGoodIsSetAside(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string]bool{"the entry": false, "the call": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, client := newTestBox(t), newSQS("queue.fifo")
			b.add(t, "queue.fifo", "r0", "good")
			b.add(t, "queue.fifo", "r1", "bad", "after")
			b.add(t, "queue.fifo", "r2", "good")
			client.On("SendMessageBatch", sqstest.RefuseEntries("InvalidMessageContents", true, sqstest.Body("bad")))
			if whole {
				client.On("SendMessageBatch", sqstest.Fail(&types.InvalidMessageContents{}).When(func(c sqstest.Call) bool {
					return slices.ContainsFunc(c.Entries, sqstest.Body("bad"))
				}))
			}

			relay := newRelay(outbox.Options{Pool: b.pool, Client: client, Box: b.box, PollEvery: 10 * time.Millisecond})
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- relay.Run(ctx) }()
			require.Eventually(t, func() bool { return acknowledged(client) == 3 }, 20*time.Second, 10*time.Millisecond)
			stop()
			require.NoError(t, <-ended)

			stats, err := b.box.Stats(t.Context(), b.pool)
			require.NoError(t, err)
			require.Equal(t, outbox.Stats{SetAside: 1}, stats)
			require.ElementsMatch(t, []string{"good", "good", "after"}, all(client, "queue.fifo"))
			require.NoError(t, relay.Ready(t.Context()), "the queue is well")
			var why string
			require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT last_error FROM `+b.schema+`.outbox WHERE set_aside_at IS NOT NULL`).Scan(&why))
			require.Contains(t, why, "InvalidMessageContents")
		})
	}
}

// The relay polls never: rows of one key follow each other without a wait.
func TestRowsOfOneKeyWaitForNoPoll(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("queue.fifo")
	b.add(t, "queue.fifo", "r1", "1", "2", "3", "4")
	relay := newRelay(outbox.Options{Pool: b.pool, Client: client, Box: b.box, PollEvery: time.Hour})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- relay.Run(ctx) }()
	require.Eventually(t, func() bool { return acknowledged(client) == 4 }, 3*time.Second, 10*time.Millisecond)
	stop()
	require.NoError(t, <-ended)
}

func TestRunSendsOnAWakeAndEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	wake := make(chan struct{}, 1)
	relay := newRelay(outbox.Options{Pool: b.pool, Client: client, Box: b.box, Wake: wake, PollEvery: time.Hour})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- relay.Run(ctx) }()

	b.add(t, "standard", "r1", "request")
	wake <- struct{}{}
	q := client.Queue("standard", sqstest.Settings{})
	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(q.URL()), WaitTimeSeconds: 20})
	require.NoError(t, err)
	require.Len(t, out.Messages, 1)
	require.Equal(t, "request", *out.Messages[0].Body)
	stop()
	require.NoError(t, <-ended)
}
