package deadletter_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"tandem/services/tools/deadletter"
)

// sevens receives seven messages at most, as SQS may, although it has more.
type sevens struct{ deadletter.Client }

func (s sevens) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, o ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	in.MaxNumberOfMessages = min(in.MaxNumberOfMessages, 7)
	return s.Client.ReceiveMessage(ctx, in, o...)
}

// Limit is no multiple of what a receive brings.
func TestNoMoreThanLimitAreListed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for range deadletter.Limit + 5 {
		s.dead(requests, "", "poison", "not json")
	}

	tool := deadletter.New(deadletter.Options{Client: sevens{s.calls}, Pool: s.pool, Hold: time.Minute})
	l, err := tool.List(t.Context(), requests)
	require.NoError(t, err)
	require.Len(t, l.Letters, deadletter.Limit)
	require.Equal(t, deadletter.Limit+5, *l.Total)
	require.Equal(t, "105 visible, 0 hidden", s.on(requests))
}
