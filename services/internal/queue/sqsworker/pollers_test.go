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
)

// distant is a fakeSQS that is far away, and counts the receives that are under way.
type distant struct {
	*fakeSQS
	mu        sync.Mutex
	now, most int
	asked     []int
}

func (d *distant) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, o ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	d.mu.Lock()
	d.now++
	d.most = max(d.most, d.now)
	d.asked = append(d.asked, int(in.MaxNumberOfMessages))
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.now--
	}()

	if !pause(ctx, 100*time.Millisecond) {
		return nil, ctx.Err()
	}
	return d.fakeSQS.ReceiveMessage(ctx, in, o...)
}

func (d *distant) receives() (now, most int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, most, d.most = d.now, d.most, 0
	return now, most
}

func TestPollersComeWithMessagesAndGoWithoutThem(t *testing.T) {
	d := &distant{fakeSQS: newFake(false)}
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

	bubbleOn(t, d, false, o, func(w *Worker, stop func() error) {
		after(time.Minute)
		_, most := d.receives()
		require.Equal(t, 1, most, "one while idle")

		for i := range 1000 {
			d.send("", fmt.Sprint(i))
		}
		after(20 * time.Second)
		require.Zero(t, d.left())
		now, most := d.receives()
		require.Equal(t, 3, most)
		require.Equal(t, 1, now, "and one again")
		w.slots.mu.Lock()
		free := w.slots.free
		w.slots.mu.Unlock()
		require.Equal(t, 40, free, "it has taken ten")
		require.LessOrEqual(t, high, 50)
		// Where a handler ends a moment before the others, the first slot may be taken alone.
		small := 0
		for _, n := range d.asked {
			if n < 10 {
				small++
			}
		}
		require.LessOrEqual(t, small, len(d.asked)/20, "receives ask for a whole batch: %v", d.asked)
		require.NoError(t, stop())
		require.Equal(t, Stats{Received: 1000, Done: 1000}, w.Stats())
	})
}

// What needs all pollers' slots is not received twice over.
func TestPollersTakeNoMoreThanMaxInFlight(t *testing.T) {
	d := &distant{fakeSQS: newFake(false)}
	for i := range 100 {
		d.send("", fmt.Sprint(i))
	}
	o := Options{MaxInFlight: 25, MaxPollers: 5, Handler: HandlerFunc(func(ctx context.Context, _ Message) Result {
		pause(ctx, time.Hour)
		return Release()
	})}
	bubbleOn(t, d, false, o, func(w *Worker, _ func() error) {
		after(time.Minute)
		require.EqualValues(t, 25, w.Stats().Received)
		require.Len(t, w.InFlight(), 25)
	})
}

func TestAPollerEndsWithAFailureAndReceivesNothingWhileSomethingIsAway(t *testing.T) {
	d := &distant{fakeSQS: newFake(false)}
	for i := range 400 {
		d.send("", fmt.Sprint(i))
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
	bubbleOn(t, d, false, o, func(w *Worker, _ func() error) {
		after(time.Minute)
		require.Less(t, w.Stats().Received, int64(60), "what was under way, no more")
		away.Store(false)
		d.setFail("receive", times(10, errFake))
		after(time.Minute)
		require.Zero(t, d.left())
		require.NoError(t, w.Ready())
	})
}
