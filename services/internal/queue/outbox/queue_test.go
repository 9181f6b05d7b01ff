package outbox

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// queues answers for the queues that exist; nil: SQS does not answer.
type queues struct {
	Client
	exist []string
}

//nolint:revive // the SDK's name
func (q *queues) GetQueueUrl(_ context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	if q.exist == nil {
		return nil, errors.New("no route to host")
	}
	for _, name := range q.exist {
		if name == *in.QueueName {
			return &sqs.GetQueueUrlOutput{QueueUrl: aws.String("http://" + name)}, nil
		}
	}
	return nil, &types.QueueDoesNotExist{}
}

func TestReadyNamesAMissingQueue(t *testing.T) {
	log, q := &bytes.Buffer{}, &queues{exist: []string{"a"}}
	r, err := NewRelay(Options{
		Pool: &pgxpool.Pool{}, Box: New("s", "outbox"), Client: q, Log: slog.New(slog.NewTextHandler(log, nil)), Queues: []string{"a", "b"},
	})
	require.NoError(t, err)
	require.NoError(t, r.Ready(t.Context()))
	for range 3 {
		r.checkQueues(t.Context())
	}
	var missing *SetupError
	require.ErrorAs(t, r.Ready(t.Context()), &missing)
	require.Equal(t, "queue b does not exist: deploy it; messages wait in the outbox until then", missing.Advice())
	require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), "it is logged once")

	q.exist = []string{"a", "b"}
	r.checkQueues(t.Context())
	require.NoError(t, r.Ready(t.Context()))

	q.exist = nil
	r.setQueueErr("a", errors.New("access denied")) // as a send found out
	r.checkQueues(t.Context())
	require.ErrorContains(t, r.Ready(t.Context()), "access denied", "the reason of the send stays")
	q.exist = []string{"a", "b"}
	r.checkQueues(t.Context())
	require.ErrorContains(t, r.Ready(t.Context()), "access denied", "that it exists does not mean that it takes messages")

	r.setQueueErr("a", nil)
	require.NoError(t, r.Ready(t.Context()))
}

// Once SQS answers, Ready must return nil without a send: there may be no message
// to send until Ready returns nil.
func TestAFoundQueueIsReadyAgain(t *testing.T) {
	q := &queues{}
	r, err := NewRelay(Options{Pool: &pgxpool.Pool{}, Box: New("s", "outbox"), Client: q, Queues: []string{"a"}})
	require.NoError(t, err)
	r.checkQueues(t.Context())
	require.ErrorContains(t, r.Ready(t.Context()), "no route to host")

	q.exist = []string{"b"}
	r.checkQueues(t.Context())
	var missing *SetupError
	require.ErrorAs(t, r.Ready(t.Context()), &missing, "it is told what is wrong now")

	q.exist = nil
	r.checkQueues(t.Context())
	q.exist = []string{"a"}
	r.checkQueues(t.Context())
	require.NoError(t, r.Ready(t.Context()))
}
