package sqstest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/sqstest"
)

var errFault = errors.New("planned")

// send sends x to the queue, and returns how long that took.
func send(ctx context.Context, f *sqstest.SQS, q *sqstest.Queue) (time.Duration, error) {
	began := time.Now()
	_, err := f.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(q.URL()), MessageBody: aws.String("x")})
	return time.Since(began), err
}

func TestFaultsOfACall(t *testing.T) {
	for name, c := range map[string]struct {
		fault  sqstest.Fault
		within time.Duration // of the caller
		takes  time.Duration
		err    error
		done   bool
	}{
		"it fails":                         {sqstest.Fail(errFault), time.Minute, 0, errFault, false},
		"its answer is lost":               {sqstest.LoseAnswer(errFault), time.Minute, 0, errFault, true},
		"it hangs":                         {sqstest.Hang(), time.Minute, time.Minute, context.DeadlineExceeded, false},
		"it is slow":                       {sqstest.Slow(time.Second), time.Minute, time.Second, nil, true},
		"it is too slow":                   {sqstest.Slow(time.Hour), time.Minute, time.Minute, context.DeadlineExceeded, false},
		"its answer is slow":               {sqstest.SlowAnswer(time.Second), time.Minute, time.Second, nil, true},
		"its answer is too slow":           {sqstest.SlowAnswer(time.Hour), time.Minute, time.Minute, context.DeadlineExceeded, true},
		"it is not one of those that fail": {sqstest.Fail(errFault).When(func(c sqstest.Call) bool { return c.Queue != "q" }), time.Minute, 0, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := sqstest.New()
				q := f.Queue("q", sqstest.Settings{})
				f.On("SendMessage", c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), c.within)
				defer cancel()

				took, err := send(ctx, f, q)
				require.ErrorIs(t, err, c.err)
				require.Equal(t, c.takes, took)
				require.Equal(t, c.done, q.Len() == 1)

				calls := f.Calls("SendMessage")
				require.Len(t, calls, 1)
				require.Equal(t, err, calls[0].Err)
				require.Equal(t, err == nil, calls[0].Output != nil)
				require.Equal(t, took, calls[0].Ended.Sub(calls[0].Began))
			})
		})
	}
}

// A program must take errors apart by errors.As: the SDK wraps them, and so does the fake.
func TestErrorsAreWrapped(t *testing.T) {
	f := sqstest.New()
	q := f.Queue("q", sqstest.Settings{})
	f.On("SendMessage", sqstest.Fail(errFault))
	_, err := send(t.Context(), f, q)
	var wrapped *smithy.OperationError
	require.ErrorAs(t, err, &wrapped)
	require.Equal(t, "SendMessage", wrapped.Operation())

	ended, end := context.WithCancel(t.Context())
	end()
	_, err = send(ended, f, q)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, f.Calls(""), 1, "SQS has not seen it")
}

func TestFaultsHappenSoOftenAndTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sqstest.New()
		q := f.Queue("q", sqstest.Settings{})
		told := 0
		f.On("SendMessage", sqstest.Slow(time.Second), sqstest.Then(func() { told = q.Len() }), sqstest.LoseAnswer(errFault).Times(2))
		for n := range 3 {
			took, err := send(t.Context(), f, q)
			require.Equal(t, n < 2, err != nil)
			require.Equal(t, time.Second, took)
			require.Equal(t, n+1, told, "after the work, before the answer, and without a lock")
		}

		f.On("SendMessage")
		took, err := send(t.Context(), f, q)
		require.NoError(t, err)
		require.Zero(t, took)
	})
}

func TestABatchFailsInPart(t *testing.T) {
	f := sqstest.New()
	q := f.Queue("q", sqstest.Settings{})
	f.On("SendMessageBatch",
		sqstest.RefuseEntries("InternalError", false, sqstest.Body("refused")).Times(1),
		sqstest.SkipEntries(false, sqstest.Body("lost")), sqstest.SkipEntries(true, sqstest.Body("unanswered")))
	in := &sqs.SendMessageBatchInput{QueueUrl: aws.String(q.URL())}
	for _, body := range []string{"good", "refused", "lost", "unanswered"} {
		in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: &body, MessageBody: &body})
	}
	out, err := f.SendMessageBatch(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, out.Successful, 1)
	require.Equal(t, "good", *out.Successful[0].Id)
	require.Equal(t, map[string]string{"refused": "InternalError false"}, codes(out.Failed))
	require.Equal(t, []string{"good", "unanswered"}, q.Purge())

	out, err = f.SendMessageBatch(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, out.Successful, 2, "the one that is refused once")
	require.Len(t, f.Calls("SendMessageBatch")[1].Entries, 4)
}

// Entries of a delete are selected by their message's body too.
func TestADeleteIsRefusedByItsMessage(t *testing.T) {
	f := sqstest.New()
	q := f.Queue("q", sqstest.Settings{})
	q.Send("a", "b")
	out, err := f.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(q.URL()), MaxNumberOfMessages: 10})
	require.NoError(t, err)
	f.On("DeleteMessageBatch", sqstest.RefuseEntries("InternalError", false, sqstest.Body("b")))
	in := &sqs.DeleteMessageBatchInput{QueueUrl: aws.String(q.URL())}
	for _, m := range out.Messages {
		in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: m.Body, ReceiptHandle: m.ReceiptHandle})
	}
	_, err = f.DeleteMessageBatch(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, q.InFlight())
}

// A receive whose answer is lost has hidden its messages, and counted.
func TestAReceiveWhoseAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sqstest.New()
		q := f.Queue("q", sqstest.Settings{})
		q.Send("x")
		in := &sqs.ReceiveMessageInput{QueueUrl: aws.String(q.URL()), WaitTimeSeconds: 20}
		f.On("ReceiveMessage", sqstest.LoseAnswer(errFault).Times(1))
		_, err := f.ReceiveMessage(t.Context(), in)
		require.ErrorIs(t, err, errFault)
		require.Equal(t, []string{"x"}, q.InFlight())

		time.Sleep(10 * time.Second)
		out, err := f.ReceiveMessage(t.Context(), in)
		require.NoError(t, err)
		require.Len(t, out.Messages, 1, "after 30 s")
		require.Equal(t, 2, q.Messages()[0].Receives)
	})
}

// Each copy of a message that is delivered twice is deleted by its own handle.
func TestAMessageIsDeliveredTwice(t *testing.T) {
	b := fakeBackend(t)
	f, _ := b.client.(*sqstest.SQS)
	q := b.queue("q", sqstest.Settings{})
	queue := f.Queue("q", sqstest.Settings{})
	q.send("x")
	first := q.one()
	queue.Repeat("x")
	second := q.one()
	require.Equal(t, *first.MessageId, *second.MessageId)
	require.NoError(t, q.delete(first))
	require.Equal(t, []string{"x"}, queue.InFlight())
	require.NoError(t, q.delete(second))
	require.Zero(t, queue.Len())

	queue.Repeat("x")
	require.Equal(t, []string{"x"}, queue.Visible(), "also when it is deleted")
}

// A deleted queue ends the receives that wait on it.
func TestAQueueIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sqstest.New()
		q := f.Queue("q", sqstest.Settings{})
		go func() {
			time.Sleep(time.Second)
			q.Delete()
		}()
		began := time.Now()
		_, err := f.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(q.URL()), WaitTimeSeconds: 20})
		var missing *types.QueueDoesNotExist
		require.ErrorAs(t, err, &missing)
		require.Equal(t, time.Second, time.Since(began))
	})
}

func TestATestsOwnMistakesPanic(t *testing.T) {
	f := sqstest.New()
	q, fifo := f.Queue("q", sqstest.Settings{}), f.Queue("q.fifo", sqstest.Settings{})
	for want, mistake := range map[string]func(){
		`no operation "RecieveMessage"`: func() { f.On("RecieveMessage") },
		`no operation "Receive"`:        func() { f.Calls("Receive") },
		"MessageGroupId":                func() { fifo.Send("x") },
		"MessageBody":                   func() { q.Send("") },
		"has had no message":            func() { q.Repeat("x") },
		"delivers no message twice":     func() { fifo.Repeat("x") },
		"MaxReceives is 0":              func() { f.Queue("r", sqstest.Settings{DeadLetterQueue: "d"}) },
		"is of the other kind":          func() { f.Queue("r", sqstest.Settings{DeadLetterQueue: "d.fifo", MaxReceives: 1}) },
	} {
		func() {
			defer func() { require.Contains(t, recover(), want) }()
			mistake()
		}()
	}
}
