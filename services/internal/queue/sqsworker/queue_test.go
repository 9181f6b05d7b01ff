package sqsworker

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/sqstest"
)

func TestQueuesNamedByURLAreNotLookedUp(t *testing.T) {
	f := newFake(false)
	f.q.Send("x")
	f.On("GetQueueUrl", sqstest.Fail(&smithy.GenericAPIError{Code: "AccessDenied"}))
	o := Options{
		Queue: f.q.URL(), DeadLetterQueue: f.q.URL() + "-dlq",
		Handler: HandlerFunc(func(context.Context, Message) Result { return DeadLetter(errFake) }),
	}

	bubble(t, f, o, func(w *Worker, _ func() error) {
		after(time.Minute)
		require.NoError(t, w.Ready(), "the redrive policy names the same queue")
		require.Len(t, f.q.Dead(), 1)
		require.Empty(t, f.Calls("GetQueueUrl"))

		f.On("ReceiveMessage", sqstest.Fail(&types.QueueDoesNotExist{}))
		f.On("GetQueueAttributes", sqstest.Fail(&types.QueueDoesNotExist{}))
		after(time.Minute)
		var wrong *SetupError
		require.ErrorAs(t, w.Ready(), &wrong)
		require.Equal(t, "queue q does not exist: deploy it", wrong.Advice())

		f.On("ReceiveMessage")
		f.On("GetQueueAttributes")
		after(20 * time.Second)
		require.NoError(t, w.Ready(), "the URL is kept")
	})
}

func TestAWorkerWithoutGetQueueAttributesWorks(t *testing.T) {
	for _, code := range []string{"AccessDenied", "AccessDeniedException"} {
		f, log := newFake(false), &bytes.Buffer{}
		f.q.Send("x")
		f.On("GetQueueAttributes", sqstest.Fail(&smithy.GenericAPIError{Code: code}))
		o := Options{Log: slog.New(slog.NewTextHandler(log, nil)), Handler: HandlerFunc(func(context.Context, Message) Result { return Done() })}

		bubble(t, f, o, func(w *Worker, _ func() error) {
			after(time.Second)
			require.NoError(t, w.Ready())
			require.Zero(t, f.q.Len())

			f.On("ReceiveMessage", sqstest.Fail(errFake).Times(1)) // after which the queue is checked again
			after(time.Minute)
			require.NoError(t, w.Ready())
			require.Equal(t, 1, strings.Count(log.String(), "sqs:GetQueueAttributes is not permitted"), log.String())
		})
	}
}

func TestADeadLetterQueueThatIsGivenIsLookedFor(t *testing.T) {
	f := newFake(false)
	dead := f.Queue("q-dlq", sqstest.Settings{})
	dead.Delete()
	w, err := New(Options{Client: f, Queue: f.q.URL(), DeadLetterQueue: dead.URL(), Handler: HandlerFunc(nil)})
	require.NoError(t, err)
	require.ErrorContains(t, w.Check(t.Context()), "queue q-dlq does not exist")
}
