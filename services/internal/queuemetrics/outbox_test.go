package queuemetrics

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/outbox"
)

func TestOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, counted, away := prometheus.NewRegistry(), 0, false
		Outbox(r, func(ctx context.Context) (outbox.Stats, error) {
			if away {
				<-ctx.Done() // a database that does not answer
				return outbox.Stats{}, errors.New("away")
			}
			counted++
			return outbox.Stats{Unsent: 2, Oldest: 3 * time.Second, SetAside: 1}, nil
		})
		shown := func() map[string]float64 {
			families, err := r.Gather()
			require.NoError(t, err)
			out := map[string]float64{}
			for _, f := range families {
				out[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
			}
			return out
		}

		want := map[string]float64{"tandem_outbox_unsent": 2, "tandem_outbox_oldest_seconds": 3, "tandem_outbox_set_aside": 1}
		require.Equal(t, want, shown())
		require.Equal(t, want, shown())
		require.Equal(t, 1, counted, "two scrapes of one moment count once")

		time.Sleep(time.Minute)
		away = true
		began := time.Now()
		require.Empty(t, shown(), "what is not known is absent")
		require.Equal(t, statsWithin, time.Since(began), "a scrape does not wait for ever")

		away = false
		require.Equal(t, want, shown())
	})
}
