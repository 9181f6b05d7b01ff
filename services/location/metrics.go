package location

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/services/internal/stream/kinesisproducer"
)

// metrics is what /metrics says of the stream. A bucket is a label: there are 64, or 8
// on LocalStack, and never more.
type metrics struct {
	points, bytes *prometheus.CounterVec // by bucket
	waited        prometheus.Histogram
	failures      *prometheus.CounterVec // by cause
	open, most    prometheus.Gauge
	openKnown     prometheus.Registerer // registers open once it is known: not known is not 0
}

func newMetrics(r prometheus.Registerer, buckets int) *metrics {
	m := &metrics{
		points: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tandem_bucket_points_total", Help: "Points that the stream has acknowledged, by their drivers' bucket.",
		}, []string{"bucket"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tandem_bucket_bytes_total",
			Help: "Bytes of records that the stream has acknowledged, by bucket. One that nears 1 MB a second is hot: a shard takes no more, and a bucket lies in one.",
		}, []string{"bucket"}),
		waited: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tandem_stream_put_seconds", Help: "Time from a record's first point to its acknowledgement.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15},
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tandem_stream_put_failures_total",
			Help: "Tries of a record that the stream did not take, by cause: throttled, missing, denied, encryption, unavailable; refused for good.",
		}, []string{"cause"}),
		open: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tandem_stream_open_shards", Help: "Open shards, when the stream was looked at last: once a minute, and when a new one is seen.",
		}),
		most: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tandem_stream_buckets", Help: "Buckets: of more open shards than that, the rest is empty.",
		}),
		openKnown: r,
	}
	m.most.Set(float64(buckets))
	r.MustRegister(m.points, m.bytes, m.waited, m.failures, m.most)
	return m
}

// stored counts a record that the stream has acknowledged.
func (m *metrics) stored(s kinesisproducer.Stored) {
	bucket := strconv.Itoa(s.Bucket)
	m.points.WithLabelValues(bucket).Add(float64(s.UserRecords))
	m.bytes.WithLabelValues(bucket).Add(float64(s.Bytes))
	m.waited.Observe(s.Waited.Seconds())
}

// failed counts a try of a record that the stream did not take.
func (m *metrics) failed(_ int, cause kinesisproducer.Cause) {
	m.failures.WithLabelValues(string(cause)).Inc()
}

// shards notes how many shards are open. One goroutine calls it.
func (m *metrics) shards(open int) {
	m.open.Set(float64(open))
	if m.openKnown != nil {
		m.openKnown.MustRegister(m.open)
		m.openKnown = nil
	}
}
