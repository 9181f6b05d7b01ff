package sqsworker

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func isFake(err error) bool { return errors.Is(err, errFake) }

func TestWhileADependencyIsAwayNoMessageFails(t *testing.T) {
	f := newFake(false)
	for range 20 {
		f.q.Send("x")
	}
	d := &Dependency{Name: "db", Away: isFake, Every: time.Second}
	var away atomic.Bool
	away.Store(true)
	handler := HandlerFunc(func(ctx context.Context, _ Message) Result {
		err := d.Do(ctx, func(context.Context) error {
			if away.Load() {
				return errFake
			}
			return nil
		})
		if err != nil {
			return RetryAfter(time.Second, err)
		}
		return Done()
	})

	bubble(t, f, Options{Handler: handler, Needs: []*Dependency{d}, MaxInFlight: 8, BatchSize: 4}, func(w *Worker, stop func() error) {
		time.Sleep(time.Minute)
		require.ErrorContains(t, w.Ready(), "db is away")
		require.Less(t, w.Stats().Received, int64(9), "nothing more is received")

		time.Sleep(time.Minute)
		away.Store(false)
		time.Sleep(2 * time.Second)
		require.Equal(t, 0, f.q.Len(), "recovery")
		require.NoError(t, w.Ready())
		require.Equal(t, Stats{Received: 20, Done: 20}, w.Stats())
		require.NoError(t, stop())
	})
}

func TestAnErrorThatOthersDoNotGetIsTheMessagesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &Dependency{Away: isFake}
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			for ctx.Err() == nil {
				_ = d.Do(ctx, func(context.Context) error { return nil })
				pause(ctx, time.Second)
			}
		}()
		require.ErrorIs(t, d.Do(ctx, func(context.Context) error { return errFake }), errFake)
		require.NoError(t, d.Err(), "nobody waits")
		stop()
		synctest.Wait()
	})
}

// The handler's time bounds how long it waits: after that the message has had a try.
func TestADependencyThatIsAwayForLongerThanTheHandlersTimeCosts(t *testing.T) {
	f := newFake(false)
	f.q.Send("x")
	d := &Dependency{Name: "db", Away: isFake, Every: time.Second}
	o := Options{Needs: []*Dependency{d}, Tries: 2, HandleWithin: time.Minute, Handler: HandlerFunc(func(ctx context.Context, _ Message) Result {
		return RetryAfter(time.Second, d.Do(ctx, func(context.Context) error { return errFake }))
	})}

	bubble(t, f, o, func(w *Worker, _ func() error) {
		after(50 * time.Second)
		require.EqualValues(t, 1, w.Stats().Received, "its time is not over")

		after(2 * time.Minute)
		require.Equal(t, Stats{Received: 2, Again: 1, Retried: 1, Dead: 1}, w.Stats())
	})
}

// An error of who was interrupted says nothing of the dependency: it is away as before.
func TestWhoIsInterruptedDoesNotBringADependencyBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &Dependency{Name: "db", Away: isFake}
		waiting, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Do(waiting, func(context.Context) error { return errFake }) }()
		synctest.Wait()
		require.ErrorIs(t, d.Err(), errFake)

		cut, cancel := context.WithCancel(t.Context())
		err := d.Do(cut, func(ctx context.Context) error { cancel(); return ctx.Err() })
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, d.Err(), errFake)
		stop()
		require.ErrorIs(t, <-ended, errFake)
	})
}

// Ready does not wait for the end of a long poll to say that what was away is back.
func TestReadySoonSaysThatADependencyIsBack(t *testing.T) {
	d := &Dependency{Name: "db", Away: isFake, Every: time.Second}
	o := Options{Needs: []*Dependency{d}, Handler: HandlerFunc(func(context.Context, Message) Result { return Done() })}
	bubble(t, newFake(false), o, func(w *Worker, _ func() error) {
		var back atomic.Bool
		go func() {
			_ = d.Do(context.Background(), func(context.Context) error {
				if back.Load() {
					return nil
				}
				return errFake
			})
		}()
		after(30 * time.Second)
		require.ErrorIs(t, w.Ready(), errFake)
		back.Store(true)
		after(5 * time.Second)
		require.NoError(t, w.Ready())
	})
}
