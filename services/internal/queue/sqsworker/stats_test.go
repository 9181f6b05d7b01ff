package sqsworker

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"
)

// A worker that died counts nothing any more, so the one that gets its message does.
func TestAMessageOfADeadWorkerCountsAsTriedAgain(t *testing.T) {
	f := newFake(false)
	f.q.Send("x", "y")
	h := HandlerFunc(func(context.Context, Message) Result { return Done() })

	bubble(t, f, Options{Handler: h, Queue: "q", DeadLetterQueue: "q-dlq"}, func(w *Worker, _ func() error) {
		after(time.Second)
		require.Equal(t, Stats{Received: 2, Done: 2}, w.Stats())

		f.q.Send("z")
		out, err := f.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(f.q.URL()), MaxNumberOfMessages: 1, VisibilityTimeout: 30})
		require.NoError(t, err)
		require.Len(t, out.Messages, 1, "the other worker has it, and dies")

		after(31 * time.Second)
		require.Equal(t, Stats{Received: 3, Again: 1, Done: 3}, w.Stats())
	})
}
