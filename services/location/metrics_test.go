package location

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/kinesisproducer"
)

// gather returns the values of counters and gauges, by name and label.
func gather(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += " " + l.GetName() + "=" + l.GetValue()
			}
			out[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return out
}

// A hot bucket and a stream that outgrew the buckets are seen, and what is not known is
// not shown.
func TestMetricsOfTheStream(t *testing.T) {
	r := prometheus.NewRegistry()
	m := newMetrics(r, 64)
	require.Equal(t, map[string]float64{"tandem_stream_buckets": 64, "tandem_stream_put_seconds": 0}, gather(t, r))

	m.stored(kinesisproducer.Stored{Shard: "a", Bucket: 7, UserRecords: 20, Bytes: 4000, Waited: time.Second})
	m.stored(kinesisproducer.Stored{Shard: "a", Bucket: 7, UserRecords: 1, Bytes: 300})
	m.stored(kinesisproducer.Stored{Shard: "a", Bucket: 63, UserRecords: 1, Bytes: 300})
	m.failed(7, kinesisproducer.Throttled)
	m.shards(65)
	m.shards(66)

	require.Equal(t, map[string]float64{
		"tandem_bucket_points_total bucket=7": 21, "tandem_bucket_points_total bucket=63": 1,
		"tandem_bucket_bytes_total bucket=7": 4300, "tandem_bucket_bytes_total bucket=63": 300,
		"tandem_stream_put_seconds": 3, "tandem_stream_put_failures_total cause=throttled": 1,
		"tandem_stream_open_shards": 66, "tandem_stream_buckets": 64,
	}, gather(t, r))
}

// The first record on a shard says that the shards are others than before.
func TestANewShardIsTold(t *testing.T) {
	s := newStats()
	require.True(t, s.report("a", 1, 1))
	require.False(t, s.report("a", 1, 1))
	require.True(t, s.report("b", 1, 1))
}
