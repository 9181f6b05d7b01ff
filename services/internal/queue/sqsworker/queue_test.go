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
)

func TestQueuesNamedByURLAreNotLookedUp(t *testing.T) {
	f := newFake(false)
	f.send("", "x")
	f.setFail("url", always(&smithy.GenericAPIError{Code: "AccessDenied"}))
	o := Options{
		Queue: "http://fake/q", DeadLetterQueue: "http://fake/q-dlq",
		Handler: HandlerFunc(func(context.Context, Message) Result { return DeadLetter(errFake) }),
	}

	bubble(t, f, o, func(w *Worker, _ func() error) {
		after(time.Minute)
		require.NoError(t, w.Ready(), "the redrive policy names the same queue")
		require.Len(t, f.dead, 1)
		require.Equal(t, "http://fake/q-dlq", *f.dead[0].QueueUrl)
		require.Zero(t, f.calls["url"])

		f.setFail("receive", always(&types.QueueDoesNotExist{}))
		f.setFail("attributes", always(&types.QueueDoesNotExist{}))
		after(time.Minute)
		var wrong *SetupError
		require.ErrorAs(t, w.Ready(), &wrong)
		require.Equal(t, "queue q does not exist: deploy it", wrong.Advice())

		f.setFail("receive", nil)
		f.setFail("attributes", nil)
		after(20 * time.Second)
		require.NoError(t, w.Ready(), "the URL is kept")
	})
}

func TestAWorkerWithoutGetQueueAttributesWorks(t *testing.T) {
	for _, code := range []string{"AccessDenied", "AccessDeniedException"} {
		f, log := newFake(false), &bytes.Buffer{}
		f.send("", "x")
		f.setFail("attributes", always(&smithy.GenericAPIError{Code: code}))
		o := Options{Log: slog.New(slog.NewTextHandler(log, nil)), Handler: HandlerFunc(func(context.Context, Message) Result { return Done() })}

		bubble(t, f, o, func(w *Worker, _ func() error) {
			after(time.Second)
			require.NoError(t, w.Ready())
			require.Zero(t, f.left())

			f.setFail("receive", times(1, errFake)) // after which the queue is checked again
			after(time.Minute)
			require.NoError(t, w.Ready())
			require.Equal(t, 1, strings.Count(log.String(), "sqs:GetQueueAttributes is not permitted"), log.String())
		})
	}
}
