package outbox_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/postgres"
	"tandem/services/internal/queue/outbox"
	"tandem/services/test/testenv"
)

// newDatabase opens a Postgres database that tests may create schemas in.
func newDatabase() (pool *pgxpool.Pool, closePool func()) {
	tb, stop := testenv.Example()
	_, pool = testenv.Database(tb)
	return pool, stop
}

// TestOverHTTP runs the SDK against the emulator: a crash, and its price.
func TestOverHTTP(t *testing.T) {
	t.Parallel()
	b := newTestBox(t)
	sdk, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)
	client := sqs.NewFromConfig(sdk)
	b.add(t, event.QueueNotifications, "r1", "1", "2", "3")

	_, err = b.relay(killedAfter{client, b.killRelay}, nil).Round(t.Context())
	require.Error(t, err)

	relay := b.relay(client, nil)
	require.Equal(t, []int{3, 0}, []int{round(t, relay), round(t, relay)})
	require.Equal(t, []string{"1", "2", "3"}, receive(t, client, event.QueueNotifications, 3), "the FIFO queue has seen the id")
}

// What was added arrives: the body, and each attribute with its value.
func TestAttributesArriveOverHTTP(t *testing.T) {
	t.Parallel()
	b := newTestBox(t)
	sdk, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)
	client := sqs.NewFromConfig(sdk)

	attributes := manyAttributes(outbox.MaxAttributes)
	require.NoError(t, b.tx(t, func(tx pgx.Tx) error {
		m := outbox.Message{ID: uuid.NewString(), Queue: event.QueueNotifications, Key: "r1", Body: []byte("x"), Attributes: attributes}
		return b.box.Add(t.Context(), tx, m)
	}))
	require.Equal(t, 1, round(t, b.relay(client, nil)))

	url, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(event.QueueNotifications)})
	require.NoError(t, err)
	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url.QueueUrl, WaitTimeSeconds: 10, MessageAttributeNames: []string{"All"}})
	require.NoError(t, err)
	require.Len(t, out.Messages, 1)
	arrived := map[string]string{}
	for name, a := range out.Messages[0].MessageAttributes {
		require.Equal(t, "String", *a.DataType)
		arrived[name] = *a.StringValue
	}
	require.Equal(t, attributes, arrived)
}

// killedAfter is a client whose relay dies between a send and its answer.
type killedAfter struct {
	outbox.Client
	kill func()
}

func (k killedAfter) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, o ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	out, err := k.Client.SendMessageBatch(ctx, in, o...)
	k.kill()
	return out, err
}

// receive takes n messages from a queue, and then finds it empty.
func receive(t *testing.T, client *sqs.Client, queue string, n int) (bodies []string) {
	t.Helper()
	url, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &queue})
	require.NoError(t, err)

	for wait := int32(10); ; {
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url.QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: wait})
		require.NoError(t, err)
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
			_, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url.QueueUrl, ReceiptHandle: m.ReceiptHandle})
			require.NoError(t, err)
		}

		if len(bodies) >= n {
			wait = 1
		}
		if len(out.Messages) == 0 {
			require.Len(t, bodies, n)
			return bodies
		}
	}
}

// TestGooseCreatesTheTable does what `tandem migrate` does for the schema ride:
// the schema has migrations of its own, and two version tables.
func TestGooseCreatesTheTable(t *testing.T) {
	t.Parallel()
	schema := postgres.Schema{Name: "shop", FS: outbox.Migrations(), Versions: "outbox_version"}
	url, pool := testenv.Database(t, schema)
	require.NoError(t, postgres.CheckVersion(t.Context(), url, schema))
	b := testBox{pool, "shop", outbox.New("shop", "outbox")}
	b.add(t, "q", "k", "1")
	require.Equal(t, 1, b.unsent(t))
}
