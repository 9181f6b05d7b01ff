package sqsworker

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/sqstest"
)

// meter keeps what a worker tells it.
type meter struct {
	mu                                 sync.Mutex
	empty, held, most, panics, refused int
	receives                           []int
	ages, took                         []time.Duration
	outcomes                           []Outcome
}

func (m *meter) change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

func (m *meter) Polled(n int) {
	m.change(func() {
		if n == 0 {
			m.empty++
		}
	})
}

func (m *meter) Received(x Message, age time.Duration) {
	m.change(func() { m.receives, m.ages = append(m.receives, x.Receives), append(m.ages, age) })
}

func (m *meter) Held(change int) {
	m.change(func() { m.held += change; m.most = max(m.most, m.held) })
}

func (m *meter) Handled(o Outcome, took time.Duration) {
	m.change(func() { m.outcomes, m.took = append(m.outcomes, o), append(m.took, took) })
}

func (m *meter) Panicked()     { m.change(func() { m.panics++ }) }
func (m *meter) DeleteFailed() { m.change(func() { m.refused++ }) }

func TestMetricsOfAMessageThatPanicsAndIsHardToDelete(t *testing.T) {
	f, m := newFake(false), &meter{}
	f.q.Send("x")
	f.On("DeleteMessageBatch", sqstest.Fail(errFake).Times(2))
	o := Options{Metrics: m, Handler: HandlerFunc(func(_ context.Context, x Message) Result {
		time.Sleep(time.Second)
		if x.Receives == 1 {
			panic("boom")
		}
		return Done()
	})}

	bubble(t, f, o, func(_ *Worker, stop func() error) {
		after(time.Minute)
		require.NoError(t, stop())
		require.Equal(t, []int{1, 2}, m.receives)
		require.Equal(t, []Outcome{OutcomeRetried, OutcomeDone}, m.outcomes)
		require.Equal(t, []time.Duration{time.Second, time.Second}, m.took, "the handler's time, without the deletes'")
		require.Equal(t, 1, m.panics)
		require.Equal(t, 2, m.refused)
		require.Equal(t, 1, m.most)
		require.Zero(t, m.held)
		require.Equal(t, 2, m.empty, "polls of 20 s")
	})
}

// The age is the one at the receive, not at the end of a handler that takes long.
func TestMetricsHaveTheAgeAtTheReceive(t *testing.T) {
	f, m := newFake(false), &meter{}
	o := Options{Metrics: m, Handler: HandlerFunc(func(context.Context, Message) Result { time.Sleep(5 * time.Minute); return Done() })}
	bubble(t, f, o, func(*Worker, func() error) {
		late := f.settings
		late.Delay = 90 * time.Second
		f.Queue(f.name, late)
		f.q.Send("x")
		after(91 * time.Second)
		require.Len(t, m.ages, 1, "told at the receive")
		require.InDelta(t, 90, m.ages[0].Seconds(), 1)
		after(10 * time.Minute)
	})
}

// A handler that ignores its ctx has its message released by the drain.
func TestMetricsOfAReleasedMessageAreRight(t *testing.T) {
	f, m := newFake(false), &meter{}
	f.q.Send("x")
	o := Options{Metrics: m, Handler: HandlerFunc(func(context.Context, Message) Result { time.Sleep(time.Minute); return Done() })}
	bubble(t, f, o, func(_ *Worker, stop func() error) {
		after(time.Second)
		require.ErrorIs(t, stop(), ErrDraining)
		require.Zero(t, m.held)
		after(2 * time.Minute)
		require.Zero(t, m.held, "not told twice")
	})
}
