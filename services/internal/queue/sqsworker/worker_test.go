package sqsworker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/sqstest"
)

var errFake = errors.New("fake failure")

// journal is what a handler writes down, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.lines...)
}

// bubble runs test in a synctest bubble beside a worker on f. stop ends the
// worker's ctx and returns what Run returned.
func bubble(t *testing.T, f *fake, o Options, test func(w *Worker, stop func() error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Client = f
		if o.Queue == "" {
			o.Queue, o.DeadLetterQueue = f.name, f.settings.DeadLetterQueue
		}
		w, err := New(o)
		require.NoError(t, err)

		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		stopped := false
		stop := func() error {
			stopped = true
			cancel()
			return <-ended
		}

		test(w, stop)
		if !stopped {
			require.NoError(t, stop())
		}
	})
}

// after lets the bubble's clock run.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestDoneIsDeletedInBatches(t *testing.T) {
	f, j := newFake(false), &journal{}
	for _, body := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		f.sendWith(t, "", body, map[string]types.MessageAttributeValue{"trace": stringAttribute("t1")})
	}
	h := HandlerFunc(func(_ context.Context, m Message) Result {
		j.add("%s %d %s", m.Body, m.Receives, m.Attributes["trace"])
		return Done()
	})

	bubble(t, f, Options{Handler: h}, func(w *Worker, _ func() error) {
		after(time.Second)
		require.Zero(t, f.q.Len())
		require.ElementsMatch(t, []string{"a 1 t1", "b 1 t1", "c 1 t1", "d 1 t1", "e 1 t1", "f 1 t1", "g 1 t1"}, j.all())
		require.Equal(t, []int{5, 2}, f.deletes(), "five are in flight at most")
		require.Equal(t, Stats{Received: 7, Done: 7}, w.Stats())
	})
}

func TestAtMostMaxInFlight(t *testing.T) {
	f := newFake(false)
	for i := range 40 {
		f.q.Send(fmt.Sprint(i))
	}
	var busy, high atomic.Int64
	h := HandlerFunc(func(context.Context, Message) Result {
		now := busy.Add(1)
		defer busy.Add(-1)
		for seen := high.Load(); now > seen && !high.CompareAndSwap(seen, now); seen = high.Load() {
		}
		time.Sleep(time.Second)
		return Done()
	})

	bubble(t, f, Options{Handler: h, MaxInFlight: 3}, func(_ *Worker, _ func() error) {
		after(time.Minute)
		require.Zero(t, f.q.Len())
		require.EqualValues(t, 3, high.Load())
	})
}

func TestHeartbeatKeepsAMessageThatTakesLong(t *testing.T) {
	f, j := newFake(false), &journal{}
	f.q.Send("long")
	h := HandlerFunc(func(ctx context.Context, m Message) Result {
		j.add("%s %d", m.Body, m.Receives)
		time.Sleep(9*time.Minute + 7*time.Second)
		j.add("%v", ctx.Err())
		return Done()
	})

	bubble(t, f, Options{Handler: h}, func(*Worker, func() error) {
		after(10 * time.Minute)
		require.Zero(t, f.q.Len())
		require.Equal(t, []string{"long 1", "<nil>"}, j.all())
		require.InDelta(t, 9*60/15, len(f.Calls("ChangeMessageVisibilityBatch")), 6, "one renewal about every half Visibility")
	})
}

func TestLostVisibilityEndsTheContextAndIgnoresTheResult(t *testing.T) {
	f, j := newFake(false), &journal{}
	f.q.Send("x")
	f.On("ChangeMessageVisibilityBatch", sqstest.Fail(errFake))
	began := time.Time{}
	h := HandlerFunc(func(ctx context.Context, m Message) Result {
		if m.Receives == 1 {
			began = time.Now()
			<-ctx.Done()
			j.add("%v after %v", context.Cause(ctx), time.Since(began))
			f.On("ChangeMessageVisibilityBatch")
		}
		return Done()
	})

	bubble(t, f, Options{Handler: h, Visibility: 8 * time.Second}, func(w *Worker, _ func() error) {
		after(7500 * time.Millisecond)
		require.Equal(t, []string{ErrLost.Error() + " after 7s"}, j.all())
		require.Equal(t, 1, f.q.Len(), "its Done was ignored")

		after(time.Minute)
		require.Zero(t, f.q.Len())
		require.Equal(t, Stats{Received: 2, Again: 1, Done: 1, Lost: 1}, w.Stats())
	})
}

func TestReceiptThatIsNoLongerValidIsLostAtOnce(t *testing.T) {
	f, j := newFake(false), &journal{}
	f.q.Send("x")
	h := HandlerFunc(func(ctx context.Context, _ Message) Result {
		f.q.Purge()
		<-ctx.Done()
		j.add("%v", context.Cause(ctx))
		return Done()
	})

	bubble(t, f, Options{Handler: h}, func(*Worker, func() error) {
		after(16 * time.Second)
		require.Equal(t, []string{ErrLost.Error()}, j.all())
	})
}

func TestRetries(t *testing.T) {
	for name, c := range map[string]struct {
		result func() Result
		after  time.Duration
	}{
		"RetryAfter rounds up": {func() Result { return RetryAfter(2500*time.Millisecond, errFake) }, 3 * time.Second},
		"Release":              {func() Result { return Release() }, 0},
		"panic":                {func() Result { panic("boom") }, mistakeDelay},
		"zero Result":          {func() Result { return Result{} }, mistakeDelay},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(false)
			f.q.Send("x")
			var at []time.Time
			h := HandlerFunc(func(_ context.Context, m Message) Result {
				at = append(at, time.Now())
				if m.Receives > 1 {
					return Done()
				}
				return c.result()
			})

			bubble(t, f, Options{Handler: h}, func(*Worker, func() error) {
				after(20 * time.Second)
				require.Len(t, at, 2)
				require.InDelta(t, c.after.Seconds(), at[1].Sub(at[0]).Seconds(), 0.05)
				require.Zero(t, f.q.Len())
			})
		})
	}
}

func TestDeadLetter(t *testing.T) {
	for _, fifo := range []bool{false, true} {
		f := newFake(fifo)
		f.sendWith(t, "g", "unreadable", map[string]types.MessageAttributeValue{"trace": stringAttribute("t1")})
		h := HandlerFunc(func(context.Context, Message) Result { return DeadLetter(errors.New("not\x00JSON")) })

		bubble(t, f, Options{Handler: h}, func(w *Worker, _ func() error) {
			after(time.Second)
			require.Zero(t, f.q.Len())
			require.Len(t, f.q.Dead(), 1)
			d := f.q.Dead()[0]
			require.Equal(t, "unreadable", d.Body)
			require.Equal(t, "not JSON", *d.Attributes[ReasonAttribute].StringValue)
			require.Equal(t, "t1", *d.Attributes["trace"].StringValue)
			require.Equal(t, "g", d.Group)
			require.Equal(t, fifo, d.Deduplication != "")
			require.EqualValues(t, 1, w.Stats().Dead)
		})
	}
}

func TestDeadLetterThatCannotBeSentIsRetried(t *testing.T) {
	f := newFake(false)
	f.q.Send("x")
	f.On("SendMessage", sqstest.Fail(errFake).Times(2))
	h := HandlerFunc(func(context.Context, Message) Result { return DeadLetter(errFake) })

	bubble(t, f, Options{Handler: h}, func(w *Worker, _ func() error) {
		after(4 * time.Second)
		require.Equal(t, 1, f.q.Len())

		after(10 * time.Second)
		require.Zero(t, f.q.Len())
		require.Equal(t, Stats{Received: 3, Again: 2, Retried: 2, Dead: 1}, w.Stats())
	})
}

func TestDeleteIsTriedAgainThenTheMessageComesAgain(t *testing.T) {
	f, j := newFake(false), &journal{}
	f.q.Send("x")
	f.On("DeleteMessageBatch", sqstest.Fail(errFake).Times(3))
	h := HandlerFunc(func(_ context.Context, m Message) Result { j.add("%d", m.Receives); return Done() })

	bubble(t, f, Options{Handler: h}, func(w *Worker, _ func() error) {
		after(time.Minute)
		require.Zero(t, f.q.Len())
		require.Equal(t, []string{"1"}, j.all())

		f.On("DeleteMessageBatch", sqstest.Fail(errFake).Times(deleteTries))
		f.q.Send("y")
		after(2 * time.Minute)
		require.Zero(t, f.q.Len())
		require.Equal(t, []string{"1", "1", "2"}, j.all())
		require.EqualValues(t, 1, w.Stats().Repeats)
	})
}

func TestHandlerPastItsDeadline(t *testing.T) {
	f, j := newFake(false), &journal{}
	f.q.Send("x")
	h := HandlerFunc(func(ctx context.Context, m Message) Result {
		if m.Receives > 1 {
			return Done()
		}
		<-ctx.Done()
		j.add("%v", context.Cause(ctx))
		return RetryAfter(time.Second, ctx.Err())
	})

	bubble(t, f, Options{Handler: h, HandleWithin: 2 * time.Minute}, func(w *Worker, _ func() error) {
		after(3 * time.Minute)
		require.Equal(t, []string{ErrTimeout.Error()}, j.all())
		require.Equal(t, Stats{Received: 2, Again: 1, Retried: 1, Done: 1}, w.Stats())
	})
}

func TestGroupsKeepTheirOrderThroughFailures(t *testing.T) {
	f, j := newFake(true), &journal{}
	f.q.SendTo("g1", "1a", "1b", "1c")
	f.q.SendTo("g2", "2a", "2b")
	busy := map[string]int{}
	var mu sync.Mutex
	h := HandlerFunc(func(_ context.Context, m Message) Result {
		mu.Lock()
		busy[m.Group]++
		require.Equal(t, 1, busy[m.Group], "one of a group at a time")
		mu.Unlock()
		time.Sleep(200 * time.Millisecond)
		mu.Lock()
		busy[m.Group]--
		mu.Unlock()
		if string(m.Body) == "1b" && m.Receives < 3 {
			return RetryAfter(time.Second, errFake)
		}
		j.add("%s", m.Body)
		return Done()
	})

	bubble(t, f, Options{Handler: h}, func(w *Worker, _ func() error) {
		after(time.Minute)
		require.Zero(t, f.q.Len())
		var g1, g2 []string
		for _, l := range j.all() {
			if strings.HasPrefix(l, "1") {
				g1 = append(g1, l)
			} else {
				g2 = append(g2, l)
			}
		}
		require.Equal(t, []string{"1a", "1b", "1c"}, g1)
		require.Equal(t, []string{"2a", "2b"}, g2)
		require.EqualValues(t, 2, w.Stats().Retried)
	})
}

func TestDrainLetsHandlersFinish(t *testing.T) {
	f := newFake(true)
	f.q.SendTo("g", "a", "b")
	h := HandlerFunc(func(ctx context.Context, _ Message) Result {
		time.Sleep(3 * time.Second)
		require.NoError(t, ctx.Err())
		return Done()
	})

	bubble(t, f, Options{Handler: h}, func(w *Worker, stop func() error) {
		after(time.Second)
		require.NoError(t, stop())
		require.Equal(t, 1, f.q.Len(), "a was finished, b waited behind it")
		require.Equal(t, []string{"b"}, f.q.Visible(), "and was released")
		require.Equal(t, Stats{Received: 2, Done: 1}, w.Stats())
	})
}

func TestDrainDeadlineReleases(t *testing.T) {
	f := newFake(false)
	f.q.Send("x")
	h := HandlerFunc(func(ctx context.Context, _ Message) Result {
		<-ctx.Done()
		require.ErrorIs(t, context.Cause(ctx), ErrDraining)
		return RetryAfter(time.Hour, ctx.Err())
	})

	bubble(t, f, Options{Handler: h}, func(w *Worker, stop func() error) {
		after(time.Second)
		began := time.Now()
		require.NoError(t, stop())
		require.Equal(t, 6*time.Second, time.Since(began))
		require.Equal(t, []string{"x"}, f.q.Visible())
	})
}

func TestDrainNamesHandlersThatDoNotReturn(t *testing.T) {
	f, free := newFake(false), make(chan struct{})
	f.q.Send("x")
	synctest.Test(t, func(t *testing.T) {
		free = make(chan struct{})
		w, err := New(Options{Client: f, Queue: "q", Handler: HandlerFunc(func(context.Context, Message) Result { <-free; return Done() })})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = w.Run(ctx)
		require.ErrorIs(t, err, ErrDraining)
		require.ErrorContains(t, err, "1 handlers of q")
		require.Equal(t, []string{"x"}, f.q.Visible())
		close(free)
	})
}

func TestMissingQueueBacksOffAndIsReported(t *testing.T) {
	f := newFake(false)
	f.q.Delete()
	missing := &types.QueueDoesNotExist{}
	bubble(t, f, Options{Handler: HandlerFunc(func(context.Context, Message) Result { return Done() })}, func(w *Worker, _ func() error) {
		after(time.Minute)
		require.ErrorAs(t, w.Ready(), &missing)
		require.Less(t, len(f.Calls("GetQueueUrl")), 30, "it backs off")

		f.q = f.Queue(f.name, f.settings)
		f.q.Send("x")
		after(20 * time.Second)
		require.NoError(t, w.Ready())
		require.Zero(t, f.q.Len())

		asked := len(f.Calls("GetQueueUrl"))
		f.On("ReceiveMessage", sqstest.Fail(missing).Times(1))
		after(30 * time.Second)
		require.NoError(t, w.Ready())
		require.Greater(t, len(f.Calls("GetQueueUrl")), asked, "the URL is looked up again")
	})
}

func TestReasonText(t *testing.T) {
	require.Equal(t, " ", reasonText(errors.New("")))
	require.Equal(t, "a b", reasonText(errors.New("a\nb")))
	require.Equal(t, "a b c", reasonText(errors.New("a\uffffb\ufffec")))
	require.LessOrEqual(t, len(reasonText(errors.New(strings.Repeat("ñ", 2000)))), maxReason)
}

func TestAFailureAfterASuccessIsTriedAgainSoon(t *testing.T) {
	f := newFake(false)
	bubble(t, f, Options{Handler: HandlerFunc(func(context.Context, Message) Result { return Done() })}, func(w *Worker, _ func() error) {
		f.On("ReceiveMessage", sqstest.Fail(errFake))
		after(3 * time.Minute) // the pauses have grown
		f.On("ReceiveMessage")
		after(time.Minute)
		require.NoError(t, w.Ready())

		f.On("ReceiveMessage", sqstest.Fail(errFake).Times(1))
		f.q.Send("x") // it ends the receive that is under way, and the next one fails
		after(10 * time.Millisecond)
		f.q.Send("y")
		after(2 * time.Second)
		require.Zero(t, f.q.Len())
	})
}
