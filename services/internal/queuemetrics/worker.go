// Package queuemetrics shows on /metrics what a queue's worker sees, and what an outbox
// has not sent. It is the link between sqsworker and outbox, which know no Prometheus,
// and a service's registry.
package queuemetrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/services/internal/queue/sqsworker"
)

// worker is a sqsworker.Metrics on Prometheus.
type worker struct {
	age, receives         prometheus.Histogram
	seconds               *prometheus.HistogramVec
	held                  prometheus.Gauge
	calls, empty          prometheus.Counter
	panics, deletesFailed prometheus.Counter
}

// Worker returns the Metrics of the worker on a queue, and registers them. It must be
// called once for a queue.
func Worker(r prometheus.Registerer, queue string) sqsworker.Metrics {
	r = prometheus.WrapRegistererWith(prometheus.Labels{"queue": queue}, r)
	w := &worker{
		age: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sqsworker_message_age_seconds", Help: "Time from the send of a message to its receive; each receive counts.",
			Buckets: []float64{.05, .2, 1, 5, 15, 60, 120, 300, 1800, 4 * 3600, 24 * 3600},
		}),
		receives: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sqsworker_message_receives", Help: "How often a message had been received, this receive included.",
			Buckets: []float64{1, 2, 3, 5, 10},
		}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sqsworker_handler_seconds", Help: "Time that a handler took, by what became of its message.",
			Buckets: []float64{.005, .05, .5, 2, 5, 15, 60, 300, 1800},
		}, []string{"outcome"}),
		held:          gauge("sqsworker_messages_in_flight", "Messages that were received and are not settled yet."),
		calls:         counter("sqsworker_receive_calls_total", "Receives that SQS answered."),
		empty:         counter("sqsworker_empty_receives_total", "Receives that SQS answered with no message."),
		panics:        counter("sqsworker_panics_total", "Handlers that panicked."),
		deletesFailed: counter("sqsworker_delete_failures_total", "Deletes of a message that failed; each try counts."),
	}
	r.MustRegister(w.age, w.receives, w.seconds, w.held, w.calls, w.empty, w.panics, w.deletesFailed)
	return w
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func (w *worker) Polled(messages int) {
	w.calls.Inc()
	if messages == 0 {
		w.empty.Inc()
	}
}

func (w *worker) Received(m sqsworker.Message, age time.Duration) {
	w.age.Observe(age.Seconds())
	w.receives.Observe(float64(m.Receives))
}

func (w *worker) Held(change int) { w.held.Add(float64(change)) }

func (w *worker) Handled(o sqsworker.Outcome, took time.Duration) {
	w.seconds.WithLabelValues(string(o)).Observe(took.Seconds())
}

func (w *worker) Panicked() { w.panics.Inc() }

func (w *worker) DeleteFailed() { w.deletesFailed.Inc() }
