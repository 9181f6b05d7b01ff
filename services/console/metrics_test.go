package console

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

func TestMetricsAreTheOverviewAndWhatIsUnknownHasNone(t *testing.T) {
	heard, behind, unread := time.Now(), int64(1500), int64(7)
	registry := prometheus.NewRegistry()
	registry.MustRegister(newMetrics(func(context.Context) Overview {
		return Overview{
			Queues: []Queue{
				{Name: "q", HeardAt: &heard, QueueCounts: &QueueCounts{Visible: 3}},
				{Name: "stale", HeardAt: &heard, QueueCounts: &QueueCounts{Visible: 9}, Error: noAnswer}, {Name: "never"},
			},
			Readers:  []Reader{{Reader: "history", Lag: Lag{BehindMS: &behind, Unread: &unread}}, {Reader: "heatmap"}},
			Services: []Service{{Name: "booking", OK: true}, {Name: "nearby", OK: true, NotReady: map[string]string{"stream": "lost"}}},
		}
	}))

	families, err := registry.Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = m.GetGauge().GetValue()
		}
	}
	require.Equal(t, map[string]float64{
		"tandem_queue_messages q visible": 3, "tandem_queue_messages q in_flight": 0, "tandem_queue_messages q delayed": 0,
		"tandem_reader_behind_seconds history": 1.5, "tandem_reader_unread_points history": 7,
		"tandem_service_up booking": 1, "tandem_service_up nearby": 0,
	}, got)
}
