package sqsworker

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// SQS refuses a visibility that ends more than 12 hours after the receive. The message
// would then come again when the visibility that it has runs out, within seconds.
func TestARetryComesAtTheLimitOfTwelveHours(t *testing.T) {
	for _, held := range []time.Duration{0, time.Hour, 11*time.Hour + 59*time.Minute} {
		f, j := newFake(false), &journal{}
		f.q.Send("x")
		o := Options{HandleWithin: 13 * time.Hour, Handler: HandlerFunc(func(_ context.Context, m Message) Result {
			if m.Receives > 1 {
				return Done()
			}
			time.Sleep(held)
			return RetryAfter(13*time.Hour, errFake)
		})}
		o.Handled = func(_ context.Context, m Message, o Outcome, _ time.Duration) { j.add("%d %s", m.Receives, o) }

		bubble(t, f, o, func(*Worker, func() error) {
			after(maxVisibility - 10*time.Second)
			require.Equal(t, []string{"1 retried"}, j.all(), "held for %v", held)
			after(20 * time.Second)
			require.Equal(t, []string{"1 retried", "2 done"}, j.all(), "held for %v", held)
		})
	}
}

func TestHeartbeatsLastForTwelveHours(t *testing.T) {
	f, j := newFake(false), &journal{}
	f.q.Send("x")
	o := Options{HandleWithin: 13 * time.Hour, Visibility: time.Hour, Handler: HandlerFunc(func(ctx context.Context, m Message) Result {
		if m.Receives == 1 {
			began := time.Now()
			<-ctx.Done()
			j.add("%v", context.Cause(ctx))
			left := time.Until(f.visible())
			assert.Greater(t, left, 5*time.Minute, "the margin is left")
			assert.Greater(t, time.Since(began), maxVisibility-20*time.Minute, "not as soon as SQS would refuse a heartbeat")
		}
		return Done()
	})}

	bubble(t, f, o, func(*Worker, func() error) {
		after(13 * time.Hour)
		require.Equal(t, []string{ErrLost.Error()}, j.all())
		require.Zero(t, f.q.Len())
	})
}
