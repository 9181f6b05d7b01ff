package sqsworker

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/sqstest"
)

// The batch succeeds and one of its entries does not.
func TestARefusedDeleteIsTriedAgain(t *testing.T) {
	f, j := newFake(false), &journal{}
	f.q.Send("a", "b", "c")
	h := HandlerFunc(func(_ context.Context, m Message) Result { j.add("%s", m.Body); return Done() })
	f.On("DeleteMessageBatch", sqstest.RefuseEntries("InternalError", false, sqstest.Body("b")).Times(2))

	bubble(t, f, Options{Handler: h}, func(w *Worker, _ func() error) {
		after(time.Minute)
		require.Zero(t, f.q.Len())
		require.ElementsMatch(t, []string{"a", "b", "c"}, j.all(), "each was handled once")
		require.EqualValues(t, 3, w.Stats().Done)
	})
}

// The next message of a group comes by another receive, while this worker is still
// busy with the first.
func TestANextMessageOfAGroupWaits(t *testing.T) {
	f, j := newFake(true), &journal{}
	f.q.SendTo("g", "1", "2")
	h := HandlerFunc(func(_ context.Context, m Message) Result { j.add("%s begins", m.Body); return Done() })
	settled := func(_ context.Context, m Message, _ Outcome, _ time.Duration) { j.add("%s is settled", m.Body) }

	// SQS hands out the second message once it has deleted the first, of which the worker
	// gets to know later.
	f.On("DeleteMessageBatch", sqstest.SlowAnswer(5*time.Second))
	bubble(t, f, Options{Handler: h, Handled: settled, BatchSize: 1}, func(*Worker, func() error) {
		after(4 * time.Second)
		require.Equal(t, []string{"2"}, f.q.InFlight(), "it is received")
		require.Equal(t, []string{"1 begins"}, j.all(), "and waits")

		after(time.Minute)
		require.Zero(t, f.q.Len())
		require.Equal(t, []string{"1 begins", "1 is settled", "2 begins", "2 is settled"}, j.all())
	})
}

// A handler that hangs, and does not look at its context, keeps its message from
// the other workers no longer than its time and one visibility.
func TestAHandlerThatHangsLosesItsMessage(t *testing.T) {
	f := newFake(false)
	f.q.Send("x")
	h := HandlerFunc(func(_ context.Context, m Message) Result {
		if m.Receives == 1 {
			time.Sleep(5 * time.Minute)
		}
		return Done()
	})

	bubble(t, f, Options{Handler: h, HandleWithin: time.Minute, Visibility: 30 * time.Second}, func(*Worker, func() error) {
		after(2 * time.Minute)
		require.Greater(t, f.q.Messages()[0].Receives, 1)

		after(10 * time.Minute)
		require.Zero(t, f.q.Len())
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
			f.q.Send("x")
			tries := 0
			o := Options{Tries: 5, Handler: HandlerFunc(func(context.Context, Message) Result { tries++; return result() }),
				DeadLettered: func(ctx context.Context, m Message, reason string) {
					j.add("%s: %s, %d left, %v", m.Body, reason, f.q.Len(), ctx.Err())
				}}

			bubble(t, f, o, func(w *Worker, _ func() error) {
				after(time.Minute)
				require.Equal(t, 5, tries)
				require.Equal(t, []string{"x: " + want + ", 1 left, <nil>"}, j.all(), "told once, before the delete")
				require.Len(t, f.q.Dead(), 1)
				require.Equal(t, want, *f.q.Dead()[0].Attributes[ReasonAttribute].StringValue)
				require.Zero(t, f.q.Len())
				require.EqualValues(t, 1, w.Stats().Dead)
			})
		})
	}
}

// The dead-letter queue does not answer when the tries are over: the message keeps
// coming, is not handled any more, and nobody is told before it is true.
func TestAReasonThatCannotBeSentIsSentLater(t *testing.T) {
	f, j := newFake(false), &journal{}
	f.q.Send("x")
	f.On("SendMessage", sqstest.Fail(errFake).Times(3))
	o := Options{Tries: 2, Handler: HandlerFunc(func(context.Context, Message) Result { j.add("handled"); return Release() }),
		DeadLettered: func(context.Context, Message, string) { j.add("told") }}

	bubble(t, f, o, func(*Worker, func() error) {
		after(time.Minute)
		require.Equal(t, []string{"handled", "handled", "told"}, j.all())
		require.Len(t, f.q.Dead(), 1)
	})
}

// A message of a group is lost while it waits for its turn: it is not handled, since
// another worker may have it.
func TestAMessageThatIsLostWhileItWaitsIsNotHandled(t *testing.T) {
	f, j := newFake(true), &journal{}
	f.q.SendTo("g", "1", "2")
	h := HandlerFunc(func(_ context.Context, m Message) Result {
		j.add("%s, receive %d", m.Body, m.Receives)
		time.Sleep(20 * time.Second)
		return Done()
	})
	f.On("ChangeMessageVisibilityBatch", sqstest.RefuseEntries("MessageNotInflight", true, sqstest.Body("2")))
	bubble(t, f, Options{Handler: h, Visibility: 30 * time.Second}, func(w *Worker, _ func() error) {
		after(25 * time.Second)
		require.Equal(t, []string{"1, receive 1"}, j.all())
		require.EqualValues(t, 1, w.Stats().Lost)
	})
}

// What stands behind a lost message is lost too: an old receipt changes nothing any more.
func TestALostMessageIsNotReleased(t *testing.T) {
	f := newFake(true)
	f.q.SendTo("g", "1", "2")
	f.On("ChangeMessageVisibilityBatch", sqstest.Fail(errFake))
	calls := func() int { return len(f.Calls("ChangeMessageVisibilityBatch")) }
	before := -1
	h := HandlerFunc(func(ctx context.Context, _ Message) Result {
		<-ctx.Done()
		time.Sleep(time.Second) // heartbeats that were under way have ended
		if before < 0 {
			before = calls()
		}
		return Done()
	})
	bubble(t, f, Options{Handler: h, Visibility: 30 * time.Second}, func(w *Worker, _ func() error) {
		after(29 * time.Second)
		require.EqualValues(t, 1, w.Stats().Lost)
		require.Equal(t, before, calls())
	})
}
