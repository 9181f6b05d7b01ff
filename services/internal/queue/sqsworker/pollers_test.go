package sqsworker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/sqstest"
)

// distant is an SQS that is far away.
type distant struct {
	*fake
	seen int // receives that were looked at
}

func newDistant() *distant {
	d := &distant{fake: newFake(false)}
	d.On("ReceiveMessage", sqstest.Slow(100*time.Millisecond))
	return d
}

// receives returns how many receives are under way, and the most that were at the same
// time of those that began since it was called last.
func (d *distant) receives() (now, most int) {
	all := d.Calls("ReceiveMessage")
	for _, c := range all {
		if c.Ended.IsZero() {
			now++
		}
	}
	for _, c := range all[d.seen:] {
		beside := 0
		for _, other := range all {
			if !other.Began.After(c.Began) && (other.Ended.IsZero() || other.Ended.After(c.Began)) {
				beside++
			}
		}
		most = max(most, beside)
	}
	d.seen = len(all)
	return now, most
}

// asked returns for how many messages each receive asked.
func (d *distant) asked() (asked []int) {
	for _, c := range d.Calls("ReceiveMessage") {
		in, _ := c.Input.(*sqs.ReceiveMessageInput)
		asked = append(asked, int(in.MaxNumberOfMessages))
	}
	return asked
}

func TestPollersComeWithMessagesAndGoWithoutThem(t *testing.T) {
	d := newDistant()
	var busy, high int
	var mu sync.Mutex
	o := Options{MaxInFlight: 50, MaxPollers: 3, Handler: HandlerFunc(func(context.Context, Message) Result {
		mu.Lock()
		busy++
		high = max(high, busy)
		mu.Unlock()
		time.Sleep(50 * time.Millisecond)
		mu.Lock()
		busy--
		mu.Unlock()
		return Done()
	})}

	bubble(t, d.fake, o, func(w *Worker, stop func() error) {
		after(time.Minute)
		_, most := d.receives()
		require.Equal(t, 1, most, "one while idle")

		for i := range 1000 {
			d.q.Send(fmt.Sprint(i))
		}
		after(20 * time.Second)
		require.Zero(t, d.q.Len())
		now, most := d.receives()
		require.Equal(t, 3, most)
		require.Equal(t, 1, now, "and one again")
		w.slots.mu.Lock()
		free := w.slots.free
		w.slots.mu.Unlock()
		require.Equal(t, 40, free, "it has taken ten")
		require.LessOrEqual(t, high, 50)
		// Where a handler ends a moment before the others, the first slot may be taken alone.
		asked, small := d.asked(), 0
		for _, n := range asked {
			if n < 10 {
				small++
			}
		}
		require.LessOrEqual(t, small, len(asked)/20, "receives ask for a whole batch: %v", asked)
		require.NoError(t, stop())
		require.Equal(t, Stats{Received: 1000, Done: 1000}, w.Stats())
	})
}

// What needs all pollers' slots is not received twice over.
func TestPollersTakeNoMoreThanMaxInFlight(t *testing.T) {
	d := newDistant()
	for i := range 100 {
		d.q.Send(fmt.Sprint(i))
	}
	o := Options{MaxInFlight: 25, MaxPollers: 5, Handler: HandlerFunc(func(ctx context.Context, _ Message) Result {
		pause(ctx, time.Hour)
		return Release()
	})}
	bubble(t, d.fake, o, func(w *Worker, _ func() error) {
		after(time.Minute)
		require.EqualValues(t, 25, w.Stats().Received)
		require.Len(t, w.InFlight(), 25)
	})
}

func TestAPollerEndsWithAFailureAndReceivesNothingWhileSomethingIsAway(t *testing.T) {
	d := newDistant()
	for i := range 400 {
		d.q.Send(fmt.Sprint(i))
	}
	need := &Dependency{Name: "db", Away: isFake, Every: time.Second}
	var away atomic.Bool
	away.Store(true)
	o := Options{MaxInFlight: 200, MaxPollers: 4, Needs: []*Dependency{need}, Handler: HandlerFunc(func(ctx context.Context, _ Message) Result {
		err := need.Do(ctx, func(context.Context) error {
			if away.Load() {
				return errFake
			}
			return nil
		})
		if err != nil {
			return Release()
		}
		return Done()
	})}
	bubble(t, d.fake, o, func(w *Worker, stop func() error) {
		after(time.Minute)
		require.Less(t, w.Stats().Received, int64(60), "what was under way, no more")
		away.Store(false)
		d.On("ReceiveMessage", sqstest.Slow(100*time.Millisecond), sqstest.Fail(errFake).Times(10))
		after(time.Minute)
		require.Zero(t, d.q.Len())
		require.NoError(t, w.Ready())

		require.NoError(t, stop())
		require.Equal(t, 200, w.slots.free, "each slot was given back")
	})
}
