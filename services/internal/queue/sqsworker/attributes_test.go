package sqsworker

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

func TestAHandlerGetsAttributesOfEachType(t *testing.T) {
	m := newMessage(types.Message{
		Attributes: map[string]string{"AWSTraceHeader": "Root=1-2"},
		MessageAttributes: map[string]types.MessageAttributeValue{
			"trace": stringAttribute("t1"),
			"n":     {DataType: aws.String("Number.int"), StringValue: aws.String("7")},
			"raw":   {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}},
		},
	})
	require.Equal(t, map[string]string{"trace": "t1", "n": "7", "raw": "\x00\xff"}, m.Attributes)
	require.Equal(t, "Root=1-2", m.TraceHeader)
}

type receiveKey struct{}

// A trace needs a ctx of its own for each receive, also for the one that finds the
// tries over, where no handler is called.
func TestContextIsCalledOncePerReceive(t *testing.T) {
	f, j := newFake(false), &journal{}
	f.q.Send("x")
	say := func(ctx context.Context, what string) { j.add("%s %v", what, ctx.Value(receiveKey{})) }
	o := Options{
		Tries: 2,
		Context: func(ctx context.Context, m Message) context.Context {
			return context.WithValue(ctx, receiveKey{}, m.Receives)
		},
		Handler: HandlerFunc(func(ctx context.Context, _ Message) Result { say(ctx, "handler"); return Release() }),
		DeadLettered: func(ctx context.Context, _ Message, _ string) {
			say(ctx, "dead-lettered")
		},
		Handled: func(ctx context.Context, _ Message, o Outcome, _ time.Duration) {
			require.NoError(t, ctx.Err(), "a hook may still write")
			say(ctx, string(o))
		},
	}

	bubble(t, f, o, func(*Worker, func() error) {
		after(time.Minute)
		require.Equal(t, []string{"handler 1", "released 1", "handler 2", "released 2", "dead-lettered 3", "dead 3"}, j.all())
		require.Equal(t, 3, f.Calls("SendMessage")[0].Context.Value(receiveKey{}), "the send is part of the trace")
	})
}

// What is released behind a FIFO group's first message was not handled, so no hook
// hears of it.
func TestHooksAreNotCalledForWhatIsReleasedBehindItsGroup(t *testing.T) {
	f, j := newFake(true), &journal{}
	f.q.SendTo("g", "first", "behind")
	o := Options{
		Handler: HandlerFunc(func(context.Context, Message) Result { return RetryAfter(time.Hour, errFake) }),
		Context: func(ctx context.Context, m Message) context.Context { j.add("context %s", m.Body); return ctx },
		Handled: func(_ context.Context, m Message, o Outcome, _ time.Duration) { j.add("%s %s", m.Body, o) },
	}

	bubble(t, f, o, func(w *Worker, _ func() error) {
		after(time.Minute)
		require.EqualValues(t, 2, w.Stats().Received)
		require.Equal(t, []string{"context first", "first retried"}, j.all())
	})
}
