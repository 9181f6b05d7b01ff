package sqsworker

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

// partly is a fakeSQS that refuses the first deletes of a message, in an answer
// that is else a success.
type partly struct {
	*fakeSQS
	refuse map[string]int // by the receipt: how often
}

func (p partly) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, opts ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	var failed []types.BatchResultErrorEntry
	taken := &sqs.DeleteMessageBatchInput{QueueUrl: in.QueueUrl}
	for _, e := range in.Entries {
		if p.refuse[*e.ReceiptHandle] > 0 {
			p.refuse[*e.ReceiptHandle]--
			failed = append(failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("InternalError")})
			continue
		}
		taken.Entries = append(taken.Entries, e)
	}

	out, err := p.fakeSQS.DeleteMessageBatch(ctx, taken, opts...)
	if err == nil {
		out.Failed = failed
	}
	return out, err
}

// The batch succeeds and one of its entries does not.
func TestARefusedDeleteIsTriedAgain(t *testing.T) {
	f, j := newFake(false), &journal{}
	f.send("", "a", "b", "c")
	h := HandlerFunc(func(_ context.Context, m Message) Result { j.add("%s", m.Body); return Done() })
	client := partly{f, map[string]int{"m2/1": 2}}

	bubbleOn(t, client, f.fifo, Options{Handler: h}, func(w *Worker, _ func() error) {
		after(time.Minute)
		require.Zero(t, f.left())
		require.ElementsMatch(t, []string{"a", "b", "c"}, j.all(), "each was handled once")
		require.EqualValues(t, 3, w.Stats().Done)
	})
}

// single hands out one message a receive.
type single struct{ *fakeSQS }

func (s single) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, opts ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	one := *in
	one.MaxNumberOfMessages = 1
	return s.fakeSQS.ReceiveMessage(ctx, &one, opts...)
}

// The next message of a group comes by another receive, while this worker is still
// busy with the first.
func TestANextMessageOfAGroupWaits(t *testing.T) {
	// Not FIFO, so that the fake itself does not keep the second message back: SQS
	// hands it out once the first is deleted, which is before its chain has ended.
	f, j := newFake(false), &journal{}
	f.send("g", "1", "2")
	h := HandlerFunc(func(_ context.Context, m Message) Result {
		j.add("%s begins", m.Body)
		time.Sleep(5 * time.Second)
		j.add("%s ends", m.Body)
		return Done()
	})

	f.attributes["RedrivePolicy"] = redriveTo("q-dlq.fifo")
	o := Options{Handler: h, Queue: "q.fifo", DeadLetterQueue: "q-dlq.fifo"}
	bubbleOn(t, single{f}, true, o, func(*Worker, func() error) {
		after(time.Minute)
		require.Zero(t, f.left())
		require.Equal(t, []string{"1 begins", "1 ends", "2 begins", "2 ends"}, j.all())
	})
}

// A handler that hangs, and does not look at its context, keeps its message from
// the other workers no longer than its time and one visibility.
func TestAHandlerThatHangsLosesItsMessage(t *testing.T) {
	f := newFake(false)
	f.send("", "x")
	h := HandlerFunc(func(_ context.Context, m Message) Result {
		if m.Receives == 1 {
			time.Sleep(5 * time.Minute)
		}
		return Done()
	})

	bubble(t, f, Options{Handler: h, HandleWithin: time.Minute, Visibility: 30 * time.Second}, func(*Worker, func() error) {
		after(2 * time.Minute)
		f.mu.Lock()
		receives := f.messages[0].receives
		f.mu.Unlock()
		require.Greater(t, receives, 1)

		after(10 * time.Minute)
		require.Zero(t, f.left())
	})
}

// The last try fails, in each way that a handler has.
func TestAfterTheLastTryTheWorkerDeadLetters(t *testing.T) {
	for want, result := range map[string]func() Result{
		"try 5 of 5: " + errFake.Error():                                                        func() Result { return RetryAfter(time.Second, errFake) },
		"try 5 of 5: no reason given":                                                           func() Result { return RetryAfter(time.Second, nil) },
		"try 5 of 5: sqsworker: handler panicked: boom":                                         func() Result { panic("boom") },
		"try 5 of 5: sqsworker: the handler returned the zero Result":                           func() Result { return Result{} },
		"received 5 times without a result: each worker died or hung, or gave the message back": Release,
	} {
		t.Run(want, func(t *testing.T) {
			f, j := newFake(false), &journal{}
			f.send("", "x")
			tries := 0
			o := Options{Tries: 5, Handler: HandlerFunc(func(context.Context, Message) Result { tries++; return result() }),
				DeadLettered: func(ctx context.Context, m Message, reason string) {
					j.add("%s: %s, %d left, %v", m.Body, reason, f.left(), ctx.Err())
				}}

			bubble(t, f, o, func(w *Worker, _ func() error) {
				after(time.Minute)
				require.Equal(t, 5, tries)
				require.Equal(t, []string{"x: " + want + ", 1 left, <nil>"}, j.all(), "told once, before the delete")
				require.Len(t, f.dead, 1)
				require.Equal(t, want, *f.dead[0].MessageAttributes[ReasonAttribute].StringValue)
				require.Zero(t, f.left())
				require.EqualValues(t, 1, w.Stats().Dead)
			})
		})
	}
}

// The dead-letter queue does not answer when the tries are over: the message keeps
// coming, is not handled any more, and nobody is told before it is true.
func TestAReasonThatCannotBeSentIsSentLater(t *testing.T) {
	f, j := newFake(false), &journal{}
	f.send("", "x")
	f.setFail("send", times(3, errFake))
	o := Options{Tries: 2, Handler: HandlerFunc(func(context.Context, Message) Result { j.add("handled"); return Release() }),
		DeadLettered: func(context.Context, Message, string) { j.add("told") }}

	bubble(t, f, o, func(*Worker, func() error) {
		after(time.Minute)
		require.Equal(t, []string{"handled", "handled", "told"}, j.all())
		require.Len(t, f.dead, 1)
	})
}
