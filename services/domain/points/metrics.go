package points

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/services/internal/stream/shardgroup"
)

// groupMetrics is a shardgroup.Metrics on Prometheus.
type groupMetrics struct {
	held             prometheus.Gauge
	lost, failures   prometheus.Counter
	records, seconds prometheus.Histogram
}

func newGroupMetrics() *groupMetrics {
	return &groupMetrics{
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "shardgroup_shards_held", Help: "Shards that this process reads.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "shardgroup_leases_lost_total", Help: "Leases of shards that ran out while they were read, or were taken, by another process or by a person.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "shardgroup_failures_total", Help: "Times that reading or applying a shard failed; it is tried again.",
		}),
		records: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "shardgroup_batch_records", Help: "Records of a batch that was applied.",
			Buckets: []float64{1, 10, 100, 500, 1000, 5000, 10_000, 50_000},
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "shardgroup_batch_seconds", Help: "Time that it took to apply a batch, its transaction included.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}),
	}
}

// register shows them, and how far behind the shards are.
func (m *groupMetrics) register(r prometheus.Registerer, status func() shardgroup.Status) {
	r.MustRegister(m.held, m.lost, m.failures, m.records, m.seconds, newShardsBehind(status))
}

func (m *groupMetrics) Held(change int) { m.held.Add(float64(change)) }
func (m *groupMetrics) Lost(string)     { m.lost.Inc() }
func (m *groupMetrics) Failed(string)   { m.failures.Inc() }
func (m *groupMetrics) Applied(_ string, records int, took time.Duration) {
	m.records.Observe(float64(records))
	m.seconds.Observe(took.Seconds())
}

// shardsBehind is a Collector of how far behind each shard is. What this process does not
// know has no sample: it is not 0.
type shardsBehind struct {
	desc   *prometheus.Desc
	status func() shardgroup.Status
}

func newShardsBehind(status func() shardgroup.Status) shardsBehind {
	return shardsBehind{
		desc: prometheus.NewDesc("shardgroup_behind_seconds",
			"How far behind the end of a shard its points are applied, of shards that this process reads or a person has paused.", []string{"shard"}, nil),
		status: status,
	}
}

// Describe implements prometheus.Collector.
func (c shardsBehind) Describe(out chan<- *prometheus.Desc) { out <- c.desc }

// Collect implements prometheus.Collector.
func (c shardsBehind) Collect(out chan<- prometheus.Metric) {
	for _, s := range c.status().Shards {
		if s.Known {
			out <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, s.Behind.Seconds(), s.Shard)
		}
	}
}
