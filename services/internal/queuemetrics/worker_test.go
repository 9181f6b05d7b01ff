package queuemetrics

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/sqsworker"
)

// values are a registry's series of one queue: a histogram's sum, else the value.
func values(t *testing.T, r *prometheus.Registry, queue string) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)

	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			ours := false
			for _, l := range m.GetLabel() {
				ours = ours || l.GetName() == "queue" && l.GetValue() == queue
				if l.GetName() == "outcome" {
					name += "/" + l.GetValue()
				}
			}
			if ours {
				out[name] = m.GetHistogram().GetSampleSum() + m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return out
}

func TestWorker(t *testing.T) {
	r := prometheus.NewRegistry()
	w := Worker(r, "orders")
	Worker(r, "invoices") // two queues in one process
	w.Polled(0)
	w.Polled(1)
	w.Received(sqsworker.Message{Receives: 2}, 3*time.Second)
	w.Held(1)
	w.Held(1)
	w.Held(-1)
	w.Handled(sqsworker.OutcomeDone, 4*time.Second)
	w.Panicked()
	w.DeleteFailed()

	require.Equal(t, map[string]float64{
		"sqsworker_message_age_seconds": 3, "sqsworker_message_receives": 2, "sqsworker_handler_seconds/done": 4,
		"sqsworker_messages_in_flight": 1, "sqsworker_receive_calls_total": 2, "sqsworker_empty_receives_total": 1,
		"sqsworker_panics_total": 1, "sqsworker_delete_failures_total": 1,
	}, values(t, r, "orders"))
	for name, v := range values(t, r, "invoices") {
		require.Zero(t, v, name)
	}
}
