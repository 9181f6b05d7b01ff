package retention

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

func TestOldRowsLeaveInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		rows, calls, away := 2*batch+7, 0, false
		set := func(n int, isAway bool) {
			mu.Lock()
			defer mu.Unlock()
			rows, away = n, isAway
		}
		seen := func() (left, asked int) {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return rows, calls
		}
		r := prometheus.NewRegistry()
		o := Options{
			What: "rides", Keep: Least, Log: slog.New(slog.DiscardHandler), Metrics: r,
			Delete: func(_ context.Context, keep time.Duration, limit int) (int64, error) {
				require.Equal(t, Least, keep)
				mu.Lock()
				defer mu.Unlock()
				if calls++; away {
					return 0, errors.New("away")
				}
				n := min(rows, limit)
				rows -= n
				return int64(n), nil
			},
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- Run(ctx, o) }()

		_, asked := seen()
		require.Equal(t, 1, asked, "there is a pause after a batch")
		time.Sleep(time.Second)
		left, asked := seen()
		require.Zero(t, left)
		require.Equal(t, 3, asked)

		set(5, true)
		time.Sleep(every)
		left, _ = seen()
		require.Equal(t, 5, left, "it is away")
		set(5, false)
		time.Sleep(every)
		left, _ = seen()
		require.Zero(t, left, "an hour after a failure it is tried again")

		families, err := r.Gather()
		require.NoError(t, err)
		require.InDelta(t, 2*batch+12, families[0].GetMetric()[0].GetCounter().GetValue(), 0)
		stop()
		require.NoError(t, <-ended)
	})
}

// No setting may delete what a message that SQS still has would look for.
func TestNothingIsKeptForLessThanSQSKeepsAMessage(t *testing.T) {
	for _, keep := range []time.Duration{0, -time.Hour, 14 * 24 * time.Hour} {
		require.ErrorContains(t, Run(t.Context(), Options{What: "rides", Keep: keep}), "the least is")
	}
	require.ErrorContains(t, Run(t.Context(), Options{What: "points", Keep: 2 * time.Hour, Least: 3 * time.Hour}), "the least is 3h")
}
