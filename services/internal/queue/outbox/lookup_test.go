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
	"github.com/stretchr/testify/require"
)

// queues answers for the queues that there are; nil: SQS does not answer.
type queues struct {
	Client
	there []string
}

//nolint:revive // the SDK's name
func (q *queues) GetQueueUrl(_ context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	if q.there == nil {
		return nil, errors.New("no route to host")
	}
	for _, name := range q.there {
		if name == *in.QueueName {
			return &sqs.GetQueueUrlOutput{QueueUrl: aws.String("http://" + name)}, nil
		}
	}
	return nil, &types.QueueDoesNotExist{}
}

func TestLookupSaysWhatIsMissing(t *testing.T) {
	log, q := &bytes.Buffer{}, &queues{there: []string{"a"}}
	r := NewRelay(Options{Client: q, Log: slog.New(slog.NewTextHandler(log, nil)), Queues: []string{"a", "b"}})
	require.NoError(t, r.Ready(t.Context()))
	for range 3 {
		r.lookup(t.Context())
	}
	var gone *SetupError
	require.ErrorAs(t, r.Ready(t.Context()), &gone)
	require.Equal(t, "queue b does not exist: deploy it; messages wait in the outbox until then", gone.Advice())
	require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), "it is said once")
	q.there = []string{"a", "b"}
	r.lookup(t.Context())
	require.NoError(t, r.Ready(t.Context()))

	q.there = nil
	r.queueState("a", errors.New("access denied")) // as a send found out
	r.lookup(t.Context())
	require.ErrorContains(t, r.Ready(t.Context()), "access denied", "that it cannot be found now is no news")
	q.there = []string{"a", "b"}
	r.lookup(t.Context())
	require.ErrorContains(t, r.Ready(t.Context()), "access denied", "that it is there does not mean that it takes messages")
	r.queueState("a", nil)
	require.NoError(t, r.Ready(t.Context()))
}

// SQS that does not answer yet keeps nobody waiting once it does: there may be
// no message to send until Ready says that all is well.
func TestLookupEndsWhatItBegan(t *testing.T) {
	q := &queues{}
	r := NewRelay(Options{Client: q, Log: slog.New(slog.DiscardHandler), Queues: []string{"a"}})
	r.lookup(t.Context())
	require.ErrorContains(t, r.Ready(t.Context()), "no route to host")
	q.there = []string{"b"}
	r.lookup(t.Context())
	var gone *SetupError
	require.ErrorAs(t, r.Ready(t.Context()), &gone, "it is told what is wrong now")
	q.there = nil
	r.lookup(t.Context())
	q.there = []string{"a"}
	r.lookup(t.Context())
	require.NoError(t, r.Ready(t.Context()))
}
