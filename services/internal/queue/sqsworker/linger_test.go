package sqsworker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Linger is so long here that whoever waits for it fails.
func TestDeletesGoAtOnceWhenNoHandlerIsRunning(t *testing.T) {
	for name, fifo := range map[string]bool{"standard": false, "one group of a FIFO queue": true} {
		t.Run(name, func(t *testing.T) {
			f := newFake(fifo)
			f.q.SendTo("g", "a", "b", "c", "d", "e", "f", "g")
			h := HandlerFunc(func(context.Context, Message) Result { return Done() })

			bubble(t, f, Options{Handler: h, MaxInFlight: 3, Linger: time.Hour}, func(w *Worker, _ func() error) {
				after(time.Second)
				require.Zero(t, f.q.Len())
				if !fifo {
					require.Equal(t, []int{3, 3, 1}, f.deletes(), "and together")
				}
			})
		})
	}
}

func TestADeleteWaitsForAHandlerThatIsRunning(t *testing.T) {
	f := newFake(false)
	f.q.Send("fast", "slow", "slower")
	h := HandlerFunc(func(ctx context.Context, m Message) Result {
		switch string(m.Body) {
		case "slow":
			time.Sleep(time.Second)
		case "slower":
			pause(ctx, time.Minute)
			return RetryAfter(time.Hour, errFake)
		}
		return Done()
	})

	bubble(t, f, Options{Handler: h, MaxInFlight: 3, Linger: 30 * time.Second}, func(*Worker, func() error) {
		after(29 * time.Second)
		require.Empty(t, f.deletes())
		after(2 * time.Second)
		require.Equal(t, []int{2}, f.deletes(), "for Linger, no longer")
	})
}

// The last handler that runs asks for no delete; those that wait must not go on waiting.
func TestARetryEndsTheWaitOfDeletes(t *testing.T) {
	f := newFake(false)
	f.q.Send("done", "retried")
	h := HandlerFunc(func(_ context.Context, m Message) Result {
		if string(m.Body) == "done" {
			return Done()
		}
		time.Sleep(time.Second)
		return RetryAfter(time.Hour, errFake)
	})

	bubble(t, f, Options{Handler: h, Linger: time.Hour}, func(*Worker, func() error) {
		after(1100 * time.Millisecond)
		require.Equal(t, []int{1}, f.deletes())
	})
}

func TestSlotsAreTakenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1)
		s.change(0, 2) // two deletes are under way
		took := make(chan int)
		go func() { took <- s.take(t.Context(), 1, 10, time.Second) }()

		synctest.Wait()
		s.change(1, -1)
		synctest.Wait()
		s.change(1, -1)
		require.Equal(t, 3, <-took)

		began := time.Now()
		s.change(1, 1) // this one is not answered
		require.Equal(t, 1, s.take(t.Context(), 1, 10, time.Second))
		require.Equal(t, time.Second, time.Since(began))

		s.change(12, 0)
		require.Equal(t, 10, s.take(t.Context(), 1, 10, time.Second), "a full batch waits for nothing")

		ended, end := context.WithCancel(t.Context())
		end()
		require.Zero(t, s.take(ended, 1, 10, time.Second))
	})
}
